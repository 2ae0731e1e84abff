/** One server-sent event. */
export interface ServerEvent {
  name: string;
  id: string | undefined;
  data: string;
}

/**
 * Reads server-sent events from text that arrives in pieces (WHATWG HTML, 9.2.6).
 * @returns takes a piece, gives the events that it completes
 */
export function createEventReader(): (piece: string) => ServerEvent[] {
  let rest = '';
  let event: { name: string; id: string | undefined; data: string[] } = { name: '', id: undefined, data: [] };
  return (piece) => {
    const lines = (rest + piece).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? '';
    const complete: ServerEvent[] = [];
    for (const line of lines) {
      if (line === '') {
        if (event.data.length)
          complete.push({ name: event.name || 'message', id: event.id, data: event.data.join('\n') });
        event = { name: '', id: undefined, data: [] };
        continue;
      }
      const colon = line.indexOf(':');
      if (colon === 0) continue;
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
      if (field === 'event') event.name = value;
      else if (field === 'data') event.data.push(value);
      else if (field === 'id' && !value.includes('\0')) event.id = value;
    }
    return complete;
  };
}
