import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';

/** Nobody took the connection, so nobody has the request. */
export class NotTaken extends Error {}

export interface KeptAnswer {
  readonly status: number | undefined;
  readonly connection: string | undefined;
  readonly body: string;
}

/** A client that keeps its connection for as long as the server lets it. */
export interface KeepAliveClient {
  /** @throws NotTaken where the request cannot have arrived; any other failure may be a lost one. */
  post(url: string, body: string, headers?: Readonly<Record<string, string>>): Promise<KeptAnswer>;
  close(): void;
}

export const keepAliveClient = (): KeepAliveClient => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return {
    post: async (url, body, headers = {}) => {
      const sent = request(url, { method: 'POST', agent, headers });
      sent.end(body);
      const [response] = (await once(sent, 'response').catch((error: NodeJS.ErrnoException) => {
        // A new connection that waits to be taken while the server closes is reset.
        const isNew = error.code === 'ECONNREFUSED' || (error.code === 'ECONNRESET' && !sent.reusedSocket);
        throw isNew ? new NotTaken(error.code) : error;
      })) as [IncomingMessage];
      response.setEncoding('utf8');
      let text = '';
      for await (const part of response) text += part as string;
      return { status: response.statusCode, connection: response.headers.connection, body: text };
    },
    close: () => agent.destroy(),
  };
};
