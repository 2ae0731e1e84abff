import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a proxy does with a request: passes it on, never lets it arrive, or lets it arrive and loses the answer. */
export type Fate = 'pass' | 'stop' | 'lose answer';

/** A reverse proxy that loses what it is told to: a network that fails at the worst moment. */
export class LossyProxy {
  fate: (method: string, path: string) => Fate = () => 'pass';
  /** Requests that were lost, as `POST /path`. */
  readonly lost: string[] = [];
  #target = '';
  readonly #server = createServer((incoming, answer) => this.#handle(incoming, answer));

  /** Listens; its address is the `HEEX_PUBLIC_URL` of the companion behind it. */
  async listen(): Promise<string> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  forwardTo(url: string): void {
    this.#target = url;
  }

  #handle(incoming: IncomingMessage, answer: ServerResponse): void {
    const { method = 'GET', url = '/', headers } = incoming;
    const fate = this.fate(method, url.split('?')[0] ?? url);
    const lose = () => this.lost.push(`${method} ${url}`);
    if (fate === 'stop') {
      lose();
      return;
    }
    const onward = request(new URL(url, this.#target), { method, headers }, (response) => {
      if (fate === 'lose answer') {
        response.resume().on('end', lose);
        return;
      }
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(answer);
    });
    onward.on('error', () => answer.destroy());
    incoming.pipe(onward);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }
}
