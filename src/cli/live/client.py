"""A client as Python's documentation has it. With a list it checks the whole path against it."""
import socket
import ssl
import sys

host, port, roots = sys.argv[1:4]
context = ssl.create_default_context(cafile=roots)
if len(sys.argv) > 4:
    context.load_verify_locations(cafile=sys.argv[4])
    context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
try:
    with socket.create_connection((host, int(port)), timeout=30) as raw:
        with context.wrap_socket(raw, server_hostname=host) as session:
            session.sendall(b"GET / HTTP/1.0\r\n\r\n")
            session.recv(4096)
except (ssl.SSLError, OSError) as error:
    sys.exit("refused: %s" % error)
