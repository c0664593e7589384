// Sends the requests on standard input, one after the other, and prints statuses and bodies as JSON.
// usage: node client.mjs http|fetch length|chunked
import http from "node:http";
import { text } from "node:stream/consumers";

const [how, framing] = process.argv.slice(2);
const agent = new http.Agent({ keepAlive: true });

function byHttp({ method, url, headers }, body) {
  return new Promise((resolve, reject) => {
    // Node sends the body of a DELETE without any framing unless it is told to
    const framed = framing === "length" ? { "Content-Length": body.length } : { "Transfer-Encoding": "chunked" };
    const request = http.request(url, { method, agent, headers: body.length ? { ...headers, ...framed } : headers });
    request.on("error", reject);
    request.on("response", async (response) => resolve([response.statusCode, await text(response)]));
    if (body.length) {
      request.write(body.subarray(0, 9));
      request.write(body.subarray(9));
    }
    request.end();
  });
}

async function byFetch({ method, url, headers }, body) {
  const content = framing === "length" ? { body } : { body: new Blob([body]).stream(), duplex: "half" };
  const response = await fetch(url, { method, headers, ...(body.length ? content : {}) });
  return [response.status, await response.text()];
}

const answers = [];
for (const exchange of JSON.parse(await text(process.stdin))) {
  const body = Buffer.from(exchange.body, "base64");
  answers.push(await (how === "http" ? byHttp : byFetch)(exchange, body));
}
agent.destroy();
process.stdout.write(JSON.stringify(answers));
