// What dredd needs to know: who asks, that each request meets a fresh world, and what it cannot do.
const hooks = require('hooks');

const WORLD = `${process.env.BASE}/__stub`;
const CANNOT = [
  // It knows nothing of anyOf, so it takes null for a mistake where a comment has no reply, a file no embed, or a check no
  // nearest request.
  [/lesson_id\}\/comment\/|course\/\{id\}\/comment\/|upload\/complete|verify$/, () => true, 'an answer that may be null'],
  // It reads examples of JSON only, and sends none for forms.
  [/./, ({ request }) => /form-data|urlencoded/.test(request.headers['Content-Type'] ?? ''), 'a form'],
  [/snapshots\/\{snapshot\}$/, ({ request }) => request.method === 'PUT', 'a snapshot is its own server\'s, so it has no example'],
];

hooks.beforeEach(async (transaction, done) => {
  const reason = CANNOT.find(([path, applies]) => path.test(transaction.origin.resourceName) && applies(transaction))?.[2];
  if (transaction.expected.statusCode >= '300' || reason) {
    transaction.skip = true;
    if (reason && transaction.expected.statusCode < '300') console.log(`left out: ${transaction.name}: ${reason}`);
    return done();
  }
  transaction.request.headers.Authorization = 'Bearer stub-creator';
  delete transaction.request.headers['X-Stub-World']; // it would be empty
  await fetch(`${WORLD}/worlds/default/reset`, { method: 'POST' });
  await before(transaction);
  done();
});

/** Makes what the example names, if the default world does not have it. */
async function before({ origin }) {
  const post = (path, body) =>
    fetch(`${WORLD}${path}`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  if (origin.resourceName.includes('{snapshot}')) await post('/snapshots', { name: 'three-courses' });
  if (origin.resourceName === '/faults/{id}') await post('/faults', { kind: 'error' });
  if (origin.resourceName === '/requests/{request}') await fetch(`${process.env.BASE}/api/v2/feature/`);
}
