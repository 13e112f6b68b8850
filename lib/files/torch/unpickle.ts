import { SonospikeError } from '../../support/errors.js';
import { damaged, oneLine } from '../damaged.js';

/** A global that a pickle may name: what it does is written here, nothing of the pickle is ever run. */
export class PickleGlobal {
  constructor(
    readonly name: string,
    /** What a call of it gives; null if it is only named. */
    readonly call: ((args: readonly unknown[]) => unknown) | null,
  ) {}
}

/** What the surroundings of a pickle give it. */
export interface PickleHost {
  file: string | undefined;
  /** The only globals that exist, by `module.name`. */
  globals: ReadonlyMap<string, PickleGlobal>;
  persistentLoad(id: unknown): unknown;
}

const STOP = 0x2e;
const HIGHEST_PROTOCOL = 4;
const MAX_DEPTH = 1_000_000;
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads a pickle of dicts (as Map), lists and tuples (as arrays), numbers, strings, bytes, booleans and None
 * (null), and of what the host's globals and persistent ids give: the operations of protocol 2 to 4 that such
 * data takes (CPython's Lib/pickletools.py describes them).
 * @throws SonospikeError ERR_PICKLE_FORBIDDEN if it names any other global; ERR_MODEL_INVALID if it is damaged
 */
export function unpickle(bytes: Uint8Array, host: PickleHost): unknown {
  const machine = new Machine(bytes, host);
  for (;;) {
    const code = machine.byte();
    if (code === STOP) return machine.pop();
    const operation = OPERATIONS.get(code);
    if (operation === undefined) throw machine.fail(`the operation 0x${code.toString(16)} is not known`);
    operation(machine);
  }
}

class Machine {
  readonly memo = new Map<number, unknown>();
  private readonly stack: unknown[] = [];
  private readonly marks: number[] = [];
  private readonly view: DataView;
  private at = 0;

  constructor(
    private readonly bytes: Uint8Array,
    readonly host: PickleHost,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  fail(what: string): SonospikeError {
    return damaged(this.host.file, `its pickle is broken at byte ${this.at} (${what})`);
  }

  forbid(name: string): SonospikeError {
    const file = this.host.file;
    return new SonospikeError(
      'ERR_PICKLE_FORBIDDEN',
      `${file ?? 'The data'} asks for the Python object ${oneLine(name)}. Only tensors, dicts, lists, numbers and strings ` +
        'are read from a .pt file, and no code in it is run. Save the state_dict alone.',
      { file },
    );
  }

  push(value: unknown): void {
    if (this.stack.push(value) > MAX_DEPTH) throw this.fail('its stack grows too deep');
  }

  /** Takes the topmost value; values below the last mark are out of reach, as in CPython. */
  pop(): unknown {
    if (this.stack.length <= (this.marks.at(-1) ?? 0)) throw this.fail('its stack is empty');
    return this.stack.pop();
  }

  top(): unknown {
    const value = this.pop();
    this.stack.push(value);
    return value;
  }

  mark(): void {
    if (this.marks.push(this.stack.length) > MAX_DEPTH) throw this.fail('its stack grows too deep');
  }

  popToMark(): unknown[] {
    const mark = this.marks.pop();
    if (mark === undefined) throw this.fail('a mark is missing');
    return this.stack.splice(mark);
  }

  take(length: number): Uint8Array {
    if (length > this.bytes.length - this.at) throw this.fail('it is cut off');
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  byte(): number {
    return this.take(1)[0]!;
  }

  u16(): number {
    this.take(2);
    return this.view.getUint16(this.at - 2, true);
  }

  u32(): number {
    this.take(4);
    return this.view.getUint32(this.at - 4, true);
  }

  i32(): number {
    return this.u32() | 0;
  }

  u64(): number {
    this.take(8);
    return Number(this.view.getBigUint64(this.at - 8, true));
  }

  f64(): number {
    this.take(8);
    return this.view.getFloat64(this.at - 8, false);
  }

  /** Little-endian two's complement of `length` bytes; a bigint only where a number is not exact. */
  integer(length: number): number | bigint {
    let value = 0n;
    for (const byte of this.take(length).slice().reverse()) value = (value << 8n) | BigInt(byte);
    value = BigInt.asIntN(8 * length, value);
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }

  text(length: number): string {
    const bytes = this.take(length);
    try {
      return UTF8.decode(bytes);
    } catch {
      throw this.fail('a string is not UTF-8');
    }
  }

  line(): string {
    const end = this.bytes.indexOf(0x0a, this.at);
    if (end < 0) throw this.fail('it is cut off');
    const text = this.text(end - this.at);
    this.take(1);
    return text;
  }

  recall(index: number): unknown {
    if (!this.memo.has(index)) throw this.fail(`nothing is remembered as ${index}`);
    return this.memo.get(index);
  }

  global(module: unknown, name: unknown): PickleGlobal {
    if (typeof module !== 'string' || typeof name !== 'string') throw this.fail('a global has no name');
    const found = this.host.globals.get(`${module}.${name}`);
    if (found === undefined) throw this.forbid(`${module}.${name}`);
    return found;
  }

  call(): void {
    const args = this.pop();
    const callee = this.pop();
    if (!(callee instanceof PickleGlobal)) throw this.fail('what it calls is not a function');
    if (callee.call === null || !Array.isArray(args)) throw this.fail(`it calls ${callee.name} wrongly`);
    this.push(callee.call(args));
  }

  append(values: unknown[]): void {
    const list = this.top();
    if (!Array.isArray(list)) throw this.fail('what it appends to is not a list');
    for (const value of values) list.push(value);
  }

  setItems(items: unknown[]): void {
    const dict = this.top();
    if (!(dict instanceof Map)) throw this.fail('what it sets an item of is not a dict');
    if (items.length % 2 !== 0) throw this.fail('a key has no value');
    for (let index = 0; index < items.length; index += 2) {
      const key = items[index];
      if (typeof key === 'object' && key !== null) throw this.fail('a key is not a string or a number');
      dict.set(key, items[index + 1]);
    }
  }

  /** Sets attributes of an object. An OrderedDict may have some (torch: `_metadata`); nothing here needs them. */
  build(): void {
    this.pop();
    if (!(this.top() instanceof Map)) throw this.fail('it sets attributes of what has none');
  }

  tuple(length: number): void {
    const values = Array.from({ length }, () => this.pop());
    this.push(values.reverse());
  }
}

const OPERATIONS: ReadonlyMap<number, (m: Machine) => void> = new Map([
  [0x80, (m: Machine) => protocol(m)],
  [0x95, (m) => void m.u64()], // FRAME: only tells how much to read ahead
  // Constants
  [0x4e, (m) => m.push(null)],
  [0x88, (m) => m.push(true)],
  [0x89, (m) => m.push(false)],
  // Numbers: BININT, BININT1, BININT2, LONG1, BINFLOAT
  [0x4a, (m) => m.push(m.i32())],
  [0x4b, (m) => m.push(m.byte())],
  [0x4d, (m) => m.push(m.u16())],
  [0x8a, (m) => m.push(m.integer(m.byte()))],
  [0x47, (m) => m.push(m.f64())],
  // Strings: SHORT_BINUNICODE, BINUNICODE, BINUNICODE8; bytes: SHORT_BINBYTES, BINBYTES, BINBYTES8
  [0x8c, (m) => m.push(m.text(m.byte()))],
  [0x58, (m) => m.push(m.text(m.u32()))],
  [0x8d, (m) => m.push(m.text(m.u64()))],
  [0x43, (m) => m.push(m.take(m.byte()))],
  [0x42, (m) => m.push(m.take(m.u32()))],
  [0x8e, (m) => m.push(m.take(m.u64()))],
  // Lists and dicts: EMPTY_LIST, LIST, APPEND, APPENDS, EMPTY_DICT, SETITEM, SETITEMS
  [0x5d, (m) => m.push([])],
  [0x6c, (m) => m.push(m.popToMark())],
  [0x61, (m) => m.append([m.pop()])],
  [0x65, (m) => m.append(m.popToMark())],
  [0x7d, (m) => m.push(new Map())],
  [0x73, (m) => m.setItems([m.pop(), m.pop()].reverse())],
  [0x75, (m) => m.setItems(m.popToMark())],
  // Tuples: EMPTY_TUPLE, TUPLE1, TUPLE2, TUPLE3, TUPLE
  [0x29, (m) => m.push([])],
  [0x85, (m) => m.tuple(1)],
  [0x86, (m) => m.tuple(2)],
  [0x87, (m) => m.tuple(3)],
  [0x74, (m) => m.push(m.popToMark())],
  // Stack: MARK, POP, POP_MARK, DUP
  [0x28, (m) => m.mark()],
  [0x30, (m) => void m.pop()],
  [0x31, (m) => void m.popToMark()],
  [0x32, (m) => m.push(m.top())],
  // Memo: BINGET, LONG_BINGET, BINPUT, LONG_BINPUT, MEMOIZE
  [0x68, (m) => m.push(m.recall(m.byte()))],
  [0x6a, (m) => m.push(m.recall(m.u32()))],
  [0x71, (m) => void m.memo.set(m.byte(), m.top())],
  [0x72, (m) => void m.memo.set(m.u32(), m.top())],
  [0x94, (m) => void m.memo.set(m.memo.size, m.top())],
  // Objects: GLOBAL, STACK_GLOBAL, INST, REDUCE, NEWOBJ, BUILD, BINPERSID
  [0x63, (m) => m.push(m.global(m.line(), m.line()))],
  [0x93, (m) => stackGlobal(m)],
  [0x69, (m) => void m.global(m.line(), m.line())],
  [0x52, (m) => m.call()],
  [0x81, (m) => m.call()],
  [0x62, (m) => m.build()],
  [0x51, (m) => m.push(m.host.persistentLoad(m.pop()))],
  // EXT1, EXT2, EXT4: classes by a number that programs agree on
  [0x82, (m) => extension(m, m.byte())],
  [0x83, (m) => extension(m, m.u16())],
  [0x84, (m) => extension(m, m.u32())],
]);

function protocol(m: Machine): void {
  const version = m.byte();
  if (version > HIGHEST_PROTOCOL)
    throw m.fail(`protocol ${version} is not read, only up to ${HIGHEST_PROTOCOL}`);
}

function stackGlobal(m: Machine): void {
  const name = m.pop();
  m.push(m.global(m.pop(), name));
}

function extension(m: Machine, code: number): never {
  throw m.forbid(`with the extension code ${code}`);
}
