// Who is told: a mail server and an incoming webhook that keep what they get.
import { createServer as createHttp } from 'node:http';
import { createServer as createSmtp } from 'node:net';

/** @typedef {{ subject: string, text: string, html: string, raw: string }} Mail */
/** @typedef {{ text: string, blocks: any[] }} Message */

/** @param {import('node:net').Server} server */
async function portOf(server) {
  await new Promise((listens) => server.listen(0, '127.0.0.1', () => listens(undefined)));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Takes mails, as far in SMTP as a client needs it to. */
export class MailCatcher {
  /** Oldest first. @type {Mail[]} */
  mails = [];
  port = 0;
  #server = createSmtp((socket) => this.#talk(socket));

  async listen() {
    this.port = await portOf(this.#server);
  }

  stop() {
    this.#server.close();
  }

  /** @param {import('node:net').Socket} socket */
  #talk(socket) {
    let [heard, isMail] = ['', false];
    const say = (/** @type {string} */ line) => socket.write(`${line}\r\n`);
    socket.setEncoding('utf8').on('error', () => {});
    socket.on('data', (text) => {
      heard += text;
      for (;;) {
        const end = heard.indexOf(isMail ? '\r\n.\r\n' : '\r\n');
        if (end < 0) return;
        const said = heard.slice(0, end);
        heard = heard.slice(end + (isMail ? 5 : 2));
        if (isMail) {
          this.mails.push(mailOf(said.replaceAll('\r\n..', '\r\n.')));
          isMail = false;
          say('250 taken');
        } else if (/^DATA/i.test(said)) {
          isMail = true;
          say('354 go on');
        } else if (/^QUIT/i.test(said)) {
          say('221 bye');
          socket.end();
        } else say('250 ok');
      }
    });
    say('220 catcher ESMTP');
  }
}

/** @param {string} raw @returns {Mail} */
function mailOf(raw) {
  const [head = '', ...rest] = raw.split('\r\n\r\n');
  const boundary = /boundary="([^"]+)"/.exec(head)?.[1] ?? '';
  const parts = rest.join('\r\n\r\n').split(`--${boundary}`);
  const part = (/** @type {string} */ type) => {
    const found = parts.find((it) => it.includes(`text/${type}`)) ?? '';
    const at = found.indexOf('\r\n\r\n');
    return decoded(found.slice(0, at), found.slice(at + 4)).replaceAll('\r\n', '\n');
  };
  const subject = /^Subject: (.*(?:\r\n[ \t].*)*)/im.exec(head)?.[1] ?? '';
  return { subject: words(subject), text: part('plain'), html: part('html'), raw };
}

/** @param {string} head @param {string} body */
function decoded(head, body) {
  if (/base64/i.test(head)) return Buffer.from(body, 'base64').toString();
  if (!/quoted-printable/i.test(head)) return body;
  return bytes(body.replaceAll(/=\r\n/g, ''));
}

/** @param {string} text with bytes as =C3 */
function bytes(text) {
  const plain = Buffer.from(text);
  const out = [];
  for (let at = 0; at < plain.length; at += 1) {
    const hex = plain.subarray(at + 1, at + 3).toString();
    const isByte = plain[at] === 61 && /^[0-9A-F]{2}$/i.test(hex);
    out.push(isByte ? parseInt(hex, 16) : (plain[at] ?? 0));
    if (isByte) at += 2;
  }
  return Buffer.from(out).toString();
}

/** The words of a header. @param {string} text */
function words(text) {
  const joined = text.replaceAll(/\r\n[ \t]/g, ' ').replaceAll(/\?= =\?/g, '?==?');
  return joined.replaceAll(/=\?utf-8\?([bq])\?([^?]*)\?=/gi, (_, how, said) =>
    how.toLowerCase() === 'b'
      ? Buffer.from(said, 'base64').toString()
      : bytes(said.replaceAll('_', ' ')),
  );
}

/** Takes what is posted to a channel of Slack. */
export class SlackCatcher {
  /** Oldest first. @type {Message[]} */
  messages = [];
  url = '';
  #server = createHttp(async (asked, answer) => {
    let body = '';
    for await (const piece of asked) body += piece;
    this.messages.push(JSON.parse(body));
    answer.end('ok');
  });

  async listen() {
    this.url = `http://127.0.0.1:${await portOf(this.#server)}/services/T0/B0/x`;
  }

  stop() {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

/** All that a message shows, as lines. @param {Message} message */
export function shown(message) {
  const lines = message.blocks.flatMap((block) => [
    block.text?.text,
    ...(block.fields ?? []).map((/** @type {any} */ field) => field.text),
    ...(block.elements ?? []).map((/** @type {any} */ it) =>
      it.url ? `[${it.text.text}] ${it.url}` : it.text,
    ),
  ]);
  return lines.filter((line) => typeof line === 'string').join('\n');
}
