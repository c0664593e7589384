/** A running server, addressed by its URL. */

import { Channel } from './channel.js';
import type { Coverage, WorldOptions } from './contract.js';
import { checkOptions } from './errors.js';
import { type World, makeWorld, openWorld } from './world.js';

export interface ConnectOptions {
  /** The token of the control plane, for a server that does not listen on loopback. */
  token?: string;
}

export class Server {
  readonly url: string;
  /** The version of the server. */
  readonly version: string;
  readonly #channel: Channel;

  /** @internal Use `connect` or `startServer`. */
  constructor(channel: Channel, version: string) {
    this.url = channel.url;
    this.version = version;
    this.#channel = channel;
  }

  /**
   * A fresh world, from the server's fixture unless the options name another one, a snapshot or a world. `close()` it
   * when you are done.
   */
  world(options: WorldOptions = {}): Promise<World> {
    return makeWorld(this.#channel, options);
  }

  /** A handle for a world that exists already, such as the one of a colleague, or `default`. */
  open(name: string): Promise<World> {
    return openWorld(this.#channel, name);
  }

  /** How much of the contract has been exercised, in all worlds. */
  coverage(): Promise<Coverage> {
    return this.#channel.call('GET', '/coverage');
  }
}

/** A handle for the server at a URL, such as `http://127.0.0.1:8765`. Throws StubError if no stub server answers there. */
export async function connect(url: string, options: ConnectOptions = {}): Promise<Server> {
  checkOptions('connect', options, ['token']);
  const channel = new Channel(url, options.token);
  return new Server(channel, await channel.recognize());
}
