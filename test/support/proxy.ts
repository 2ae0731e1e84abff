import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a proxy does with a request: passes it on, never lets it arrive, or lets it arrive and loses the answer. */
export type Fate = 'pass' | 'stop' | 'lose answer';

/** A reverse proxy that loses what it is told to: a network that fails at the worst moment. */
export class LossyProxy {
  fate: (method: string, path: string) => Fate = () => 'pass';
  /** Whose answers are kept until `release`, when the server has done what they ask. */
  holdAnswer: (method: string, path: string) => boolean = () => false;
  #waiting: (() => void)[] = [];
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

  /** How many answers are kept at present. */
  get held(): number {
    return this.#waiting.length;
  }

  /** Lets every answer through, those that were kept first. */
  release(): void {
    this.holdAnswer = () => false;
    for (const send of this.#waiting.splice(0)) send();
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
      const send = () => {
        answer.writeHead(response.statusCode ?? 502, response.headers);
        response.pipe(answer);
      };
      if (this.holdAnswer(method, url.split('?')[0] ?? url)) this.#waiting.push(send);
      else send();
    });
    onward.on('error', () => answer.destroy());
    incoming.pipe(onward);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }
}
