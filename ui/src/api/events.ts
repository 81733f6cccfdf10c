/** Server-sent events out of pieces of text that end anywhere. */
export interface ServerEvent {
  readonly event: string;
  readonly data: string;
}

export class EventReader {
  #rest = '';

  /** The events that are whole with this piece. */
  read(piece: string): readonly ServerEvent[] {
    const text = this.#rest + piece;
    // A long event comes in many pieces: what was looked through needs not be again.
    const blocks = piece.includes('\n') ? text.split(/\r?\n\r?\n/) : [text];
    this.#rest = blocks.pop() ?? '';
    // Nothing the server sends comes near; a stream that never ends an event is not read on.
    if (this.#rest.length > EVENT_CHARS_MAX) throw new Error('an event of the stream is too long');
    return blocks.map(parse).filter((event) => event !== null);
  }
}

function parse(block: string): ServerEvent | null {
  let event = 'message';
  const data: string[] = [];
  for (const line of block.split(/\r?\n/)) {
    const [, field = '', value = ''] = /^([a-z]+): ?(.*)$/.exec(line) ?? [];
    if (field === 'event') event = value;
    if (field === 'data') data.push(value);
  }
  return data.length === 0 ? null : { event, data: data.join('\n') };
}

const EVENT_CHARS_MAX = 16 << 20;
