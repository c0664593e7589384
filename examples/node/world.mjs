/** A world of the stub server for one test: its API, as any persona, and its control plane. */

import {createHash} from 'node:crypto';

/** A fresh world, whose name is derived from `name`, the name of the test. */
export async function freshWorld(name) {
  const readable = name.replace(/[^A-Za-z0-9._-]+/g, '-').slice(0, 40);
  const world = new World(`${readable}-${createHash('sha256').update(name).digest('hex').slice(0, 8)}`);
  await world.control('POST', `/worlds/${world.name}/reset`);
  return world;
}

class World {
  constructor(name) {
    this.name = name;
    this.url = `${process.env.STUBSERVER_URL}/~${name}`;
  }

  /** Calls the API, as a persona such as 'stranger', or anonymously. Resolves to fetch's response. */
  ask(persona, method, path, body) {
    const token = process.env[`STUBSERVER_TOKEN_${persona?.toUpperCase()}`];
    return request(`${this.url}/api/v2${path}`, method, body, token && {authorization: `Bearer ${token}`});
  }

  /** Calls the control plane for this world. Resolves to the parsed JSON answer. */
  async control(method, path, body) {
    const answer = await request(`${this.url}/__stub${path}`, method, body);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text && JSON.parse(text);
  }
}

function request(url, method, body, headers) {
  const json = body && {'content-type': 'application/json'};
  return fetch(url, {method, headers: {...headers, ...json}, body: body && JSON.stringify(body)});
}
