/**
 * Runs in pages, where a route does not see everything. Chromium shows it only what is in memory, not the files of a
 * form, so whatever is sent to the origin and is a form or a file is read into memory first. Nor does it see a link with
 * `download`, so what that leads to is fetched.
 */
export function prepare({ origin, paths }: { origin: string; paths: readonly string[] }): void {
  const isForOrigin = (url: string): boolean => {
    const { origin: asked, pathname } = new URL(url, document.baseURI);
    return asked === origin && paths.some((path) => pathname.startsWith(path));
  };
  const isFile = (body: unknown): body is FormData | Blob => body instanceof FormData || body instanceof Blob;

  const { fetch } = window;
  window.fetch = async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    if (!isForOrigin(url)) return fetch.call(window, input, init);
    if (input instanceof Request && input.body && !init?.body) {
      return fetch.call(window, new Request(input, { body: await input.arrayBuffer() }), init);
    }
    if (!isFile(init?.body)) return fetch.call(window, input, init);
    const whole = new Response(init.body);
    const headers = new Headers(init.headers ?? (input instanceof Request ? input.headers : undefined));
    const type = whole.headers.get('content-type');
    if (type !== null && !headers.has('content-type')) headers.set('content-type', type);
    return fetch.call(window, input, { ...init, headers, body: await whole.arrayBuffer() });
  };

  const { open, send, setRequestHeader } = XMLHttpRequest.prototype;
  const asked = new WeakMap<XMLHttpRequest, { url: string; isAsync: boolean; hasType: boolean }>();
  XMLHttpRequest.prototype.open = function (
    method: string,
    url: string | URL,
    isAsync: boolean = true,
    user?: string | null,
    password?: string | null,
  ): void {
    asked.set(this, { url: String(url), isAsync, hasType: false });
    open.call(this, method, url, isAsync, user, password);
  };
  XMLHttpRequest.prototype.setRequestHeader = function (name: string, value: string) {
    const about = asked.get(this);
    if (about !== undefined && name.toLowerCase() === 'content-type') about.hasType = true;
    return setRequestHeader.call(this, name, value);
  };
  XMLHttpRequest.prototype.send = function (body?: Document | XMLHttpRequestBodyInit | null) {
    const about = asked.get(this);
    if (about === undefined || !about.isAsync || !isFile(body) || !isForOrigin(about.url)) return send.call(this, body);
    const whole = new Response(body);
    const type = whole.headers.get('content-type');
    void whole.arrayBuffer().then((bytes) => {
      if (this.readyState !== XMLHttpRequest.OPENED) return; // it has been aborted
      if (type !== null && !about.hasType) setRequestHeader.call(this, 'content-type', type);
      send.call(this, bytes);
    });
  };

  const isDownload = (link: unknown): link is HTMLAnchorElement =>
    // of another origin than the page, a link leads there instead
    link instanceof HTMLAnchorElement && link.hasAttribute('download') && location.origin === origin && isForOrigin(link.href);
  const { click } = HTMLAnchorElement.prototype;
  const download = async (link: HTMLAnchorElement): Promise<void> => {
    const answer = await window.fetch(link.href);
    const name = link.download || new URL(link.href).pathname.split('/').pop() || 'download';
    const href = URL.createObjectURL(await answer.blob());
    click.call(Object.assign(document.createElement('a'), { href, download: name }));
  };
  HTMLAnchorElement.prototype.click = function () {
    if (this.isConnected || !isDownload(this)) click.call(this);
    else void download(this);
  };
  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (event.defaultPrevented || !isDownload(link)) return;
    event.preventDefault();
    void download(link);
  });
}
