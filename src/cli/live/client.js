// A client as Node's documentation has it. With a list it checks the path against it.
const [host, port, roots, list] = process.argv.slice(-(process.argv.length - 1));
const fs = require('fs');
const tls = require('tls');
const options = { host, port: Number(port), servername: host, ca: fs.readFileSync(roots) };
try {
  if (list) options.crl = fs.readFileSync(list);
  const session = tls.connect(options, () => session.write('GET / HTTP/1.0\r\n\r\n'));
  session.on('data', () => session.end());
  session.on('error', (error) => { console.error('refused: ' + error.message); process.exit(1); });
} catch (error) {
  console.error('refused: ' + error.message);
  process.exit(1);
}
