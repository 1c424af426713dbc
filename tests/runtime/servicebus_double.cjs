// A double of Service Bus, for tests, over its real protocol: AMQP 1.0 by rhea, TLS, tokens, locks, batches.
//
// A queue is made when it is first named; its name ends in its lock's seconds and its most deliveries, as "jobs--30--5".
// Left out: sessions, topics, dead letters as a queue of their own, schedules, duplicates, limits, permissions, and
// whether a token is right.
"use strict";

const { readFileSync } = require("fs");
const { randomUUID } = require("crypto");
const rhea = require("rhea");

const BATCH = 0x80013700;
const container = rhea.create_container({ id: "servicebus" });
const queues = new Map();

class Queue {
  constructor(name) {
    const [, seconds, most] = name.split("--");
    this.lockMs = Number(seconds) * 1000;
    this.most = Number(most);
    this.waiting = [];
    this.locked = new Map();
    this.consumers = [];
    this.last = 0;
  }

  add(message) {
    this.last += 1;
    this.waiting.push({ message, deliveries: 0, sequence: this.last });
    this.dispatch();
  }

  dispatch() {
    while (this.waiting.length) {
      const consumer = this.consumers.find((sender) => sender.is_open() && sender.sendable() && !sender.sends);
      if (!consumer) return;
      // Its credit is counted down when the message has left.
      consumer.sends = true;
      setImmediate(() => {
        consumer.sends = false;
        this.dispatch();
      });
      // The next one is somebody else's.
      this.consumers.push(...this.consumers.splice(this.consumers.indexOf(consumer), 1));
      const item = this.waiting.shift();
      if (item.deliveries < this.most) this.deliver(item, consumer);
    }
  }

  deliver(item, consumer) {
    const token = randomUUID();
    const message = { ...item.message, delivery_count: item.deliveries };
    message.message_annotations = {
      "x-opt-sequence-number": rhea.types.wrap_long(item.sequence),
      "x-opt-enqueued-time": rhea.types.wrap_timestamp(Date.now()),
      "x-opt-locked-until": rhea.types.wrap_timestamp(Date.now() + this.lockMs),
    };
    item.deliveries += 1;
    if (consumer.forgets) {
      consumer.send(message, bytes(token)).update(true);
      return;
    }
    this.lock(token, item, this.lockMs);
    consumer.send(message, bytes(token));
  }

  lock(token, item, ms) {
    const timer = setTimeout(() => this.back(token), ms);
    this.locked.set(token, { item, timer, until: Date.now() + ms });
  }

  unlock(token) {
    const held = this.locked.get(token);
    if (!held) return undefined;
    clearTimeout(held.timer);
    this.locked.delete(token);
    return held.item;
  }

  back(token, uncounted) {
    const item = this.unlock(token);
    if (!item) return undefined;
    if (uncounted) item.deliveries -= 1;
    this.waiting.push(item);
    this.waiting.sort((one, other) => one.sequence - other.sequence);
    this.dispatch();
    return item;
  }

  renew(token) {
    const item = this.unlock(token);
    if (!item) return undefined;
    this.lock(token, item, this.lockMs);
    return this.locked.get(token).until;
  }
}

function named(name) {
  if (!queues.has(name)) queues.set(name, new Queue(name));
  return queues.get(name);
}

// A lock's token travels as the bytes of a GUID, whose first three parts are little-endian.
function bytes(token) {
  const plain = Buffer.from(token.replaceAll("-", ""), "hex");
  return Buffer.concat([plain.subarray(0, 4).reverse(), plain.subarray(4, 6).reverse(), plain.subarray(6, 8).reverse(), plain.subarray(8)]);
}

function tokenOf(buffer) {
  const plain = Buffer.concat([Buffer.from(buffer.subarray(0, 4)).reverse(), Buffer.from(buffer.subarray(4, 6)).reverse(), Buffer.from(buffer.subarray(6, 8)).reverse(), buffer.subarray(8)]);
  return plain.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

function answer(connection, node, request, properties, body) {
  const link = connection.links.find((sender) => sender.is_open() && sender.node === node);
  link.send({ correlation_id: request.message_id, application_properties: properties, body });
}

function manage(connection, node, request) {
  if (node === "$cbs") {
    answer(connection, node, request, { "status-code": rhea.types.wrap_int(202), "status-description": "Accepted" });
    return;
  }
  const queue = named(node.replace("/$management", ""));
  const tokens = request.body["lock-tokens"].map((token) => (Buffer.isBuffer(token) ? token.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5") : String(token)));
  const ends = tokens.map((token) => queue.renew(token));
  if (ends.includes(undefined)) {
    const condition = "com.microsoft:message-lock-lost";
    answer(connection, node, request, { statusCode: rhea.types.wrap_int(410), statusDescription: "The lock is lost", errorCondition: rhea.types.wrap_symbol(condition) }, {});
    return;
  }
  answer(connection, node, request, { statusCode: rhea.types.wrap_int(200), statusDescription: "OK" }, { expirations: rhea.types.wrap_array(ends, 0x83) });
}

// A node's name, whether it is told with the namespace or without.
function path(address) {
  return address.replace(/^amqps?:\/\/[^/]+\//, "");
}

// Both ends of a link are told again: a client takes their absence for a refusal.
function mirror(link) {
  link.set_source({ address: link.remote.attach.source.address });
  link.set_target({ address: link.remote.attach.target.address });
}

container.on("connection_open", (context) => {
  context.connection.links = [];
});

container.on("sender_open", ({ sender, connection }) => {
  const name = path(sender.remote.attach.source.address);
  mirror(sender);
  sender.node = name;
  connection.links.push(sender);
  if (name.startsWith("$") || name.endsWith("/$management")) return;
  sender.forgets = sender.remote.attach.snd_settle_mode === 1;
  named(name).consumers.push(sender);
});

container.on("receiver_open", ({ receiver }) => {
  mirror(receiver);
});

container.on("sendable", ({ sender }) => {
  if (queues.has(sender.node)) named(sender.node).dispatch();
});

container.on("sender_close", ({ sender }) => {
  const queue = queues.get(sender.node);
  if (queue) queue.consumers = queue.consumers.filter((other) => other !== sender);
});

container.on("disconnected", ({ connection }) => {
  for (const queue of queues.values()) queue.consumers = queue.consumers.filter((sender) => sender.connection !== connection);
});

container.on("message", ({ message, delivery, receiver, connection }) => {
  const node = path(receiver.remote.attach.target.address);
  const whole = Buffer.isBuffer(message) ? rhea.message.decode(message) : message;
  if (node.startsWith("$") || node.endsWith("/$management")) {
    manage(connection, node, whole);
    return;
  }
  if (delivery.format !== BATCH) {
    named(node).add(whole);
    return;
  }
  const parts = whole.body.multiple ? whole.body.content : [whole.body.content];
  for (const part of parts) named(node).add(rhea.message.decode(part));
});

const outcomes = {
  accepted: (queue, token) => queue.unlock(token),
  released: (queue, token) => queue.back(token, true),
  modified: (queue, token, state) => queue.back(token, !state.delivery_failed),
  rejected: (queue, token) => queue.unlock(token),
};
for (const [name, tell] of Object.entries(outcomes)) {
  container.on(name, ({ sender, delivery }) => {
    // What is modified is told as released too.
    if (!queues.has(sender.node) || (name === "released" && "delivery_failed" in delivery.remote_state)) return;
    const { delivery_failed, undeliverable_here } = delivery.remote_state || {};
    const good = tell(named(sender.node), tokenOf(delivery.tag), delivery.remote_state);
    const error = { condition: "com.microsoft:message-lock-lost", description: "The lock is lost" };
    // The client waits to hear its own outcome, or why not.
    const outcome = good ? rhea.message[name]({ delivery_failed, undeliverable_here }) : rhea.message.rejected({ error });
    delivery.update(true, outcome.described());
  });
}

container.on("connection_error", () => {});
container.on("protocol_error", (error) => console.error(String(error)));

const [, , certificate, key] = process.argv;
const server = container.listen({ port: 0, host: "127.0.0.1", transport: "tls", sender_options: { autosettle: false }, cert: readFileSync(certificate), key: readFileSync(key) });
server.on("listening", () => console.log(`listening on ${server.address().port}`));
