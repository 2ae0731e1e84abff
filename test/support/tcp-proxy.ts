import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A line between a client and the companion that a test can cut or hold up. */
export interface Line {
  url: string;
  /** Breaks all connections and takes no new ones. */
  cut(): void;
  /** Lets nothing through any more, without saying so. */
  stall(): void;
  /** As at first, for new connections. */
  mend(): void;
  close(): void;
}

export async function line(to: () => string): Promise<Line> {
  let state: 'open' | 'cut' | 'stalled' = 'open';
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    if (state === 'cut') {
      socket.destroy();
      return;
    }
    const { port, hostname } = new URL(to());
    const other = connect(Number(port), hostname);
    sockets.add(other);
    other.on('error', () => socket.destroy());
    other.on('close', () => {
      sockets.delete(other);
      socket.destroy();
    });
    socket.on('close', () => other.destroy());
    const pass = (from: Socket, into: Socket) =>
      from.on('data', (data) => {
        if (state !== 'stalled') into.write(data);
      });
    pass(socket, other);
    pass(other, socket);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    cut() {
      state = 'cut';
      for (const socket of sockets) socket.destroy();
    },
    stall() {
      state = 'stalled';
    },
    mend() {
      state = 'open';
    },
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
