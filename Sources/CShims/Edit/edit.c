#include "culvert_edit.h"

#include <histedit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// Lines that are remembered.
enum { CULVERT_EDIT_HISTORY = 1000 };

struct culvert_editor {
    EditLine *line;
    History *history;
    char *prompt;
    void *context;
    culvert_edit_callback complete;
    culvert_edit_callback help;
    int redraw;
};

static culvert_editor *editor_of(EditLine *line) {
    void *editor = NULL;
    el_get(line, EL_CLIENTDATA, &editor);
    return editor;
}

static char *prompt_of(EditLine *line) { return editor_of(line)->prompt; }

// Asks `callback`, and tells libedit how to draw the line afterwards.
static unsigned char ask(EditLine *line, culvert_edit_callback callback) {
    culvert_editor *editor = editor_of(line);
    const LineInfo *info = el_line(line);
    size_t length = (size_t)(info->cursor - info->buffer);
    char *copy = malloc(length + 1);
    if (copy == NULL) {
        return CC_ERROR;
    }
    memcpy(copy, info->buffer, length);
    copy[length] = 0;
    editor->redraw = 0;
    callback(editor->context, editor, copy, length);
    free(copy);
    return editor->redraw ? CC_REDISPLAY : CC_REFRESH;
}

static unsigned char on_complete(EditLine *line, int key) {
    (void)key;
    return ask(line, editor_of(line)->complete);
}

static unsigned char on_help(EditLine *line, int key) {
    (void)key;
    return ask(line, editor_of(line)->help);
}

// Ctrl-C gives the line up, not the program.
static unsigned char on_interrupt(EditLine *line, int key) {
    (void)key;
    const LineInfo *info = el_line(line);
    int behind = (int)(info->lastchar - info->cursor);
    int all = (int)(info->lastchar - info->buffer);
    el_cursor(line, behind);
    if (write(STDOUT_FILENO, "^C\r\n", 4) < 0) {
        return CC_EOF;
    }
    el_deletestr(line, all);
    return CC_REDISPLAY;
}

culvert_editor *culvert_edit_open(const char *program, void *context, culvert_edit_callback complete,
                                  culvert_edit_callback help) {
    culvert_editor *editor = calloc(1, sizeof *editor);
    if (editor == NULL) {
        return NULL;
    }
    editor->context = context;
    editor->complete = complete;
    editor->help = help;
    editor->line = el_init(program, stdin, stdout, stderr);
    editor->history = history_init();
    if (editor->line == NULL || editor->history == NULL) {
        culvert_edit_close(editor);
        return NULL;
    }
    HistEvent event;
    history(editor->history, &event, H_SETSIZE, CULVERT_EDIT_HISTORY);
    history(editor->history, &event, H_SETUNIQUE, 1);
    EditLine *line = editor->line;
    el_set(line, EL_CLIENTDATA, editor);
    el_set(line, EL_PROMPT, prompt_of);
    el_set(line, EL_EDITOR, "emacs");
    el_set(line, EL_SIGNAL, 1);
    el_set(line, EL_HIST, history, editor->history);
    el_set(line, EL_ADDFN, "culvert-complete", "Complete the word", on_complete);
    el_set(line, EL_ADDFN, "culvert-help", "Tell what can come next", on_help);
    el_set(line, EL_ADDFN, "culvert-interrupt", "Give the line up", on_interrupt);
    el_set(line, EL_BIND, "^I", "culvert-complete", NULL);
    el_set(line, EL_BIND, "?", "culvert-help", NULL);
    el_set(line, EL_BIND, "^C", "culvert-interrupt", NULL);
    el_set(line, EL_BIND, "^R", "em-inc-search-prev", NULL);
    el_set(line, EL_SETTY, "-d", "-isig", NULL);
    // What the operator has set for all programs with libedit.
    el_source(line, NULL);
    return editor;
}

void culvert_edit_close(culvert_editor *editor) {
    if (editor->line != NULL) {
        el_end(editor->line);
    }
    if (editor->history != NULL) {
        history_end(editor->history);
    }
    free(editor->prompt);
    free(editor);
}

const char *culvert_edit_read(culvert_editor *editor, const char *prompt, int *length) {
    free(editor->prompt);
    editor->prompt = strdup(prompt);
    return el_gets(editor->line, length);
}

void culvert_edit_insert(culvert_editor *editor, const char *text) { el_insertstr(editor->line, text); }

void culvert_edit_redraw(culvert_editor *editor) { editor->redraw = 1; }

void culvert_edit_load(culvert_editor *editor, const char *path) {
    HistEvent event;
    history(editor->history, &event, H_LOAD, path);
}

void culvert_edit_remember(culvert_editor *editor, const char *line, const char *path) {
    HistEvent event;
    history(editor->history, &event, H_ENTER, line);
    if (path != NULL) {
        // Commands may name users: nobody else reads them.
        mode_t mask = umask(077);
        history(editor->history, &event, H_SAVE, path);
        umask(mask);
    }
}
