// A line editor: libedit (BSD licence) behind plain functions, since Swift calls none with variable arguments.
#pragma once

#include <stddef.h>

typedef struct culvert_editor culvert_editor;

// What the editor asks for while a line is typed: `line` is what stands in front of the cursor, not terminated. May call
// culvert_edit_insert and write to the terminal.
typedef void (*culvert_edit_callback)(void *context, culvert_editor *editor, const char *line, size_t length);

// An editor on standard input and output. `complete` is called for the tabulator key, `help` for the question mark; both with
// `context`. NULL when there is no memory or no terminal.
culvert_editor *culvert_edit_open(const char *program, void *context, culvert_edit_callback complete,
                                  culvert_edit_callback help);

void culvert_edit_close(culvert_editor *editor);

// Reads a line behind `prompt`, which is copied. The line ends with a newline and is good until the next call; NULL at the end
// of the input.
const char *culvert_edit_read(culvert_editor *editor, const char *prompt, int *length);

// Types `text` for the operator. For the callbacks.
void culvert_edit_insert(culvert_editor *editor, const char *text);

// Lets the line be redrawn from a new row on, since a callback has written to the terminal.
void culvert_edit_redraw(culvert_editor *editor);

// Loads the lines of a file, as culvert_edit_remember has written it. A file that is not there is none.
void culvert_edit_load(culvert_editor *editor, const char *path);

// Remembers a line, and writes the file at `path` anew unless that is NULL.
void culvert_edit_remember(culvert_editor *editor, const char *line, const char *path);
