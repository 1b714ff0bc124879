"""Sends a frame that nobody knows to a guest twenty times a second, straight into its TAP: `nudge.py TAP MAC`.

The guest's network driver (UML's vector device) misses now and then that a frame has come until the next one comes. The last ping of a series,
or a PADT before a silence, then lies in the TAP for good. These frames pass no bridge, so neither captures nor the node see them. Ends with
the TAP.
"""

import errno
import socket
import sys
import time

LOCAL_EXPERIMENTAL = 0x88B5


def main():
    tap, mac = sys.argv[1:]
    frame = bytes.fromhex(mac.replace(":", "")) + bytes(6) + LOCAL_EXPERIMENTAL.to_bytes(2, "big") + bytes(46)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as nudger:
        nudger.bind((tap, 0))
        while True:
            try:
                nudger.send(frame)
            except BlockingIOError:
                pass
            except OSError as error:
                if error.errno not in (errno.ENETDOWN, errno.ENOBUFS):
                    return
            time.sleep(0.05)


if __name__ == "__main__":
    main()
