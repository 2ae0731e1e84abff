import { expect, test } from 'vitest';
import { BODY_LIMIT, Gathered } from '../../companion/http/read-body.ts';

test('a body in pieces of one byte each is copied a few times, not once for each', () => {
  const sent = Buffer.from('0123456789'.repeat(2_000));
  const gathered = new Gathered();
  const rooms = new Set<ArrayBufferLike | undefined>();
  for (const byte of sent) {
    gathered.add(Buffer.from([byte]));
    if ((gathered.bytes?.length ?? 0) > 8_192) rooms.add(gathered.bytes?.buffer);
  }
  expect(gathered.bytes?.equals(sent)).toBe(true);
  expect(rooms.size).toBeLessThan(5);
});

test('what is gathered is what was sent, and what was sent stays as it is', () => {
  const gathered = new Gathered();
  expect(gathered.bytes).toBeUndefined();
  const first = Buffer.from('{"key":').subarray(0, 6);
  const pieces = [first, Buffer.from(':'), Buffer.from(''), Buffer.from('"x"'), Buffer.from('}')];
  for (const piece of pieces) gathered.add(piece);
  expect(gathered.bytes?.toString()).toBe('{"key":"x"}');
  expect(first.toString()).toBe('{"key"');
});

test('a body of the most that may come is taken, one byte more is refused', () => {
  const gathered = new Gathered();
  gathered.add(Buffer.alloc(BODY_LIMIT - 1));
  gathered.add(Buffer.alloc(1));
  expect(gathered.bytes).toHaveLength(BODY_LIMIT);
  expect(() => gathered.add(Buffer.alloc(1))).toThrow(expect.objectContaining({ code: 'payload_too_large' }));
});
