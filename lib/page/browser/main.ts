import type { Hello, ServerMessage } from '../protocol.js';
import { type Arrays, Connection, type ConnectionState } from './connection.js';
import { byId } from './elements.js';
import { Listener } from './listener.js';
import { Requests } from './requests.js';
import { Sound } from './sound.js';
import { View } from './view.js';

/** The page itself: what the server says goes to the view, what the user does to the server. */

let view: View | null = null;

const CALIBRATED = 'How sure the model is of each word. All bars together are 100%.';
const UNCALIBRATED =
  'This model has no calibration: it names a word for every sound, and the bars only compare its words.';

const connection = new Connection({ state: connectionChanged, message: receive });
const requests = new Requests(connection);
const listener: Listener = new Listener(connection, {
  state: (state) => sound.listening(state),
  level: (level) => sound.level(level),
  problem: (message) => sound.problem(message),
});
const sound: Sound = new Sound(requests, listener, () => view);

function connectionChanged(state: ConnectionState): void {
  const status = byId('connection');
  status.dataset.state = state;
  status.textContent = {
    connecting: 'Connecting …',
    connected: 'Connected',
    lost: 'No connection to the server. Trying again …',
    full: 'The server has as many pages open as it takes. Trying again …',
  }[state];
  if (state !== 'connected') {
    sound.enable(false);
    requests.lost();
  }
}

function receive(message: ServerMessage, arrays: Arrays): void {
  if (requests.take(message, arrays)) return;
  switch (message.type) {
    case 'hello':
      welcome(message, arrays);
      break;
    case 'live':
      if (message.id === listener.id) view?.live(message, arrays, listener);
      break;
    case 'word':
      if (message.id === listener.id) view?.word(message, listener);
      break;
    case 'picture':
      if (message.id === listener.id) view?.picture(message, arrays);
      break;
    case 'encoded':
      view?.encoded(message, arrays);
      break;
    case 'stopped':
      if (message.id === listener.id) view?.stopped();
      break;
    case 'error':
      failed(message);
      break;
  }
}

/** The model is known, for the first time or again after the server was away. */
function welcome(hello: Hello, arrays: Arrays): void {
  const { settings, model, version, samples, confidence } = hello;
  const isFirst = view === null;
  const neurons = settings.network.layers.reduce((sum, layer) => sum + layer.neurons, 0);
  byId('model').textContent =
    `${model} · ${settings.labels.length} words · ${neurons.toLocaleString('en')} neurons in ` +
    `${settings.network.layers.length} layers · version ${version}`;
  byId('calibration').textContent = confidence === null ? UNCALIBRATED : CALIBRATED;
  if (view === null) view = new View(hello, arrays, connection);
  else if (view.isOf(hello, arrays)) view.connected();
  else {
    // Everything on the screen is of another model, or of another version of this page.
    location.reload();
    return;
  }
  sound.offer(samples, isFirst);
  sound.enable(true);
  listener.begin();
}

function failed({ id, message }: Extract<ServerMessage, { type: 'error' }>): void {
  sound.problem(message);
  if (id === listener.id) listener.stop();
}
