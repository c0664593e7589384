// Watches the pages of a scenario. Any problem that was not announced fails it, however good the page looks.

export class Guard {
  #hosts;
  #expected = [];
  #vendorBugs = [];
  #problems = [];

  /** `origins` are the two origins that a page may talk to: its own and the portal's. */
  constructor(origins) {
    this.#hosts = origins.map((origin) => new URL(origin).host);
  }

  /**
   * Announces one refusal, which then must occur: its method, a pattern for its path and query, and its status. The
   * vendor logs most refusals to the console; `says` is a pattern for what it may log about this one.
   */
  expectRefusal(method, path, status, says = /(?!)/) {
    this.#expected.push({method, path, status, says, came: false});
  }

  /** Tolerates a console error that the vendor's code prints although nothing was refused. */
  expectVendorBug(says) {
    this.#vendorBugs.push(says);
  }

  async watch(context) {
    // Nothing is sent to other hosts, not even by a scenario that fails because it tried.
    await context.route(
      (url) => url.protocol.startsWith('http') && !this.#hosts.includes(url.host),
      (route) => {
        this.#problems.push(`request to another host: ${route.request().url()}`);
        return route.abort();
      }
    );
    context.on('page', (page) => this.#watchPage(page));
  }

  #watchPage(page) {
    page.on('pageerror', (error) => this.#problems.push(`uncaught: ${error.stack}`));
    page.on('crash', () => this.#problems.push('the page crashed'));
    page.on('websocket', (socket) => this.#problems.push(`web socket: ${socket.url()}`));
    page.on('console', (message) => message.type() === 'error' && this.#console(message));
    page.on('response', (response) => response.status() >= 400 && this.#refused(response));
    page.on('requestfailed', (request) => this.#failed(request));
  }

  #refused(response) {
    const [method, status] = [response.request().method(), response.status()];
    const refusal = this.#find(method, response.url(), status);
    if (refusal) {
      refusal.came = true;
    } else {
      this.#problems.push(`unannounced: ${method} ${response.url()} ${status}`);
    }
  }

  #console(message) {
    const text = message.text();
    const [, status] = text.match(/^Failed to load resource: .* status of (\d+)/) ?? [];
    // The browser's own message about a response that #refused has already checked.
    if (status) {
      return;
    }
    if (![...this.#expected.map(({says}) => says), ...this.#vendorBugs].some((says) => says.test(text))) {
      this.#problems.push(`console: ${text}`);
    }
  }

  #failed(request) {
    const {errorText} = request.failure();
    // Leaving a page aborts its requests; that is not a failure.
    if (errorText !== 'net::ERR_ABORTED' && this.#hosts.includes(new URL(request.url()).host)) {
      this.#problems.push(`failed: ${request.method()} ${request.url()} ${errorText}`);
    }
  }

  #find(method, url, status) {
    const {pathname, search} = new URL(url);
    return this.#expected.find(
      (refusal) => refusal.method === method && refusal.status === status && refusal.path.test(pathname + search)
    );
  }

  /** Every problem that was not announced, and every announced refusal that did not occur. */
  problems() {
    const missing = this.#expected
      .filter(({came}) => !came)
      .map(({method, path, status}) => `announced, but did not come: ${method} ${path} ${status}`);
    return [...this.#problems, ...missing];
  }
}
