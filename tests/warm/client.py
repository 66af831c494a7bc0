"""A process in the place of a worker: the work is done by a fork of a warm process.

Run as `python -I -S client.py FOLDER MODULE ARGUMENT...`; imports next to nothing. The fork has
this process' arguments, environment, working directory and open files. It is killed when this
process is, and this process ends as the fork does.
"""

import json
import os
import signal
import socket
import sys


def open_files() -> list[int]:
    """Descriptors that this process was started with."""
    found = []
    for name in os.listdir("/dev/fd"):
        try:
            os.fstat(int(name))
        except OSError:  # that of the list itself
            continue
        found.append(int(name))
    return sorted(found)


def main() -> int:
    folder, module, *arguments = sys.argv[1:]
    files = open_files()
    backend = os.environ.get("KERAS_BACKEND", "none")
    request = {
        "arguments": [module, *arguments],
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "files": files,
    }
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(os.path.join(folder, f"{module}-{backend}"))
        text = json.dumps(request).encode()
        socket.send_fds(server, [len(text).to_bytes(8, "big")], files)
        server.sendall(text)
        for number in files:
            os.close(number)
        end = server.recv(1)
    if not end:
        os.kill(os.getpid(), signal.SIGKILL)
    return end[0]


if __name__ == "__main__":
    os._exit(main())
