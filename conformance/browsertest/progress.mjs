// Plays the browser of provider/web/pages/static/progress.js, whose path is the argument, and exits with 1 when the live
// page is lost: the browser connects again by itself when a connection ends, and gives up when it is answered with an
// error.
import assert from "node:assert";
import { readFileSync } from "node:fs";
import { runInNewContext } from "node:vm";

const sources = [];
class EventSource {
  static CLOSED = 2;
  readyState = 1;
  handlers = {};
  constructor() {
    sources.push(this);
  }
  addEventListener(name, handler) {
    this.handlers[name] = handler;
  }
  close() {
    this.readyState = EventSource.CLOSED;
  }
}
const status = { dataset: { events: "/events" }, textContent: "" };
const timers = [];
let reloads = 0;
const window = { EventSource, setTimeout: (act, after) => timers.push({ act, after }), location: { reload: () => reloads++ } };
const document = { getElementById: () => status, querySelectorAll: () => [] };
runInNewContext(readFileSync(process.argv[2], "utf8"), { window, document, EventSource, CSS: { escape: (text) => text } });

const last = () => sources.at(-1);
const says = (news) => last().handlers.progress({ data: JSON.stringify(news) });
says({ text: "Waiting" });
assert.equal(status.textContent, "Waiting");
last().readyState = 0; // the browser connects again
last().handlers.error();
assert.equal(timers.length, 0);
last().readyState = EventSource.CLOSED; // it was answered with an error
last().handlers.error();
assert.deepEqual(timers.map((timer) => timer.after), [10000]);
timers[0].act();
assert.equal(sources.length, 2);
says({ text: "Opened" });
assert.equal(status.textContent, "Opened");
says({ text: "Checking", reload: true });
assert.equal(reloads, 1);
assert.equal(last().readyState, EventSource.CLOSED);
