// Who speaks: the voices of each set of clips, and the settings drawn for them. Every draw is a hash of names, so
// nothing here is random.
import { createHash } from 'node:crypto';
import { ESPEAK_ACCENTS, FESTIVAL_ACCENTS } from './accents.mjs';

/**
 * A voice: `synth` and `id` name it to its synthesizer. `rate` is relative to the synthesizer's own
 * speed; `pitch` is 0-99 for espeak-ng and Hz for the others, undefined for the voice's own.
 */
const SHIPPED = [
  { synth: 'flite', id: 'slt', rate: 1, heldOut: true },
  { synth: 'flite', id: 'rms', rate: 1.2, heldOut: true },
  { synth: 'flite', id: 'awb', rate: 1.15, pitch: 130 },
  { synth: 'festival', id: 'kal_diphone', rate: 1.1, pitch: 105 },
  { synth: 'festival', id: 'ked_diphone', rate: 1.1, pitch: 125 },
  { synth: 'espeak-ng', id: 'en-us', rate: 1, pitch: 40 },
  { synth: 'espeak-ng', id: 'en+f2', rate: 1, pitch: 50 },
  { synth: 'espeak-ng', id: 'en-gb-scotland+m3', rate: 0.9, pitch: 45 },
  { synth: 'espeak-ng', id: 'en-us+linda', rate: 1.05, pitch: 50, heldOut: true },
];

// espeak-ng drops the variant from `en-gb+f2` and `fr-fr+f2` without a word; `en` and `fr` keep it.
const ENGLISH = [
  'en-us',
  'en',
  'en-gb-scotland',
  'en-gb-x-rp',
  'en-gb-x-gbclan',
  'en-gb-x-gbcwmd',
  'en-029',
  'en-us-nyc',
];
const NUMBERED = ' m1 m2 m3 m4 m5 m6 m7 m8 f1 f2 f3 f4 f5'.split(' ');
const ACCENTED = ['', 'm1', 'm3', 'm7', 'f1', 'f3', 'f4', 'Annie'];
// All variants of espeak-ng that sound like people and differ from each other, but linda.
const NAMED = `
  Alex Alicia Andrea Andy Annie AnxiousAndy Denis Diogo Gene Gene2 Henrique Hugo Jacky Lee Marco Mario Michael Nguyen
  RicishayMax RicishayMax2 RicishayMax3 Storm adam anika antonio aunty belinda benjamin boris caleb david ed edward
  edward2 grandma grandpa gustave iven iven2 iven3 iven4 john kaukovalta klatt2 klatt3 klatt4 klatt5 max michel norbert
  pablo paul pedro quincy rob robert sandro shelby steph steph2 steph3 travis victor whisper whisperf zac
`
  .trim()
  .split(/\s+/);

const plain = (accent, variants, takes) =>
  variants.map((variant) => ({
    synth: 'espeak-ng',
    id: variant === '' ? accent : `${accent}+${variant}`,
    takes,
    rates: [0.7, 1.4],
    pitches: [15, 85],
  }));
const accented = (language) =>
  plain(language, language === 'de' ? NUMBERED : ACCENTED, language === 'de' ? 2 : 1).map((voice) => ({
    ...voice,
    accent: language,
  }));
const WOMEN_AND_CHILDREN = new Set(['lp_diphone', 'czech_dita', 'czech_krb', 'suo_fi_lj_diphone']);
const diphones = (id) => ({
  synth: 'festival',
  id,
  takes: 24,
  // The sounds of this voice are long and blend into its hiss.
  rates: id === 'hy_fi_mv_diphone' ? [1.1, 1.9] : [0.8, 1.5],
  pitches: WOMEN_AND_CHILDREN.has(id) ? [140, 280] : [80, 200],
  accent: id,
});

/** Voices of the training set; `takes` settings are drawn for each, `pitches` is the range drawn from. */
const TRAINING = [
  ...ENGLISH.flatMap((accent) => plain(accent, NUMBERED, 2)),
  ...['en-us', 'en'].flatMap((accent) => plain(accent, NAMED, 2)),
  { synth: 'flite', id: 'kal16', takes: 40, rates: [0.8, 1.4], pitches: [80, 210] },
  { synth: 'flite', id: 'awb', takes: 60, rates: [0.75, 1.5], pitches: [90, 240] },
  { synth: 'festival', id: 'kal_diphone', takes: 40, rates: [0.8, 1.4], pitches: [80, 210] },
  { synth: 'festival', id: 'ked_diphone', takes: 60, rates: [0.8, 1.4], pitches: [80, 230] },
  ...Object.keys(ESPEAK_ACCENTS).flatMap(accented),
  ...Object.keys(FESTIVAL_ACCENTS).map(diphones),
];

/** Voices of other words to measure with: those that no training clip has, at several settings. */
const TEST = [
  { synth: 'flite', id: 'slt', takes: 3, rates: [0.9, 1.3], pitches: [150, 230] },
  { synth: 'flite', id: 'rms', takes: 3, rates: [0.9, 1.4], pitches: [80, 140] },
  { synth: 'festival', id: 'cmu_us_slt_arctic_hts', takes: 1, rates: [1, 1], pitches: [180, 180] },
  ...['en-us', 'en', 'en-gb-scotland'].flatMap((accent) => plain(accent, ['linda'], 1)),
];

/** The speaker's name in a file name: lower case, letters and digits only. */
function speakerName({ id, accent }) {
  const name = id
    .replace('_diphone', '')
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '');
  return accent === undefined ? name : `accent${name}`;
}

function settingsKey({ synth, id, rate, pitch }) {
  return `${synth} ${id} ${rate} ${pitch}`;
}

/** A number in [0, 1) that depends on the text alone. */
export function hashedUnit(text) {
  return createHash('sha256').update(text).digest().readUInt32BE(0) / 2 ** 32;
}

export function shippedTakes() {
  return SHIPPED.map((voice) => ({ ...voice, tract: 1, mark: '', take: 0, speaker: speakerName(voice) }));
}

/**
 * The settings of every take of `voices`. `mark` ends the word: a question mark makes the pitch rise. `range` is how
 * much the pitch moves: for festival's English voices a standard deviation in Hz, for its other ones semitones.
 */
function drawTakes(voices) {
  return voices.flatMap((voice) =>
    Array.from({ length: voice.takes }, (_, take) => {
      const { synth, id, accent } = voice;
      const vary = (name) => hashedUnit(`${synth} ${id} ${take} ${name}`);
      const draw = (name, [low, high]) => low + (high - low) * vary(name);
      const rounded = (name, range) => Math.round(draw(name, range) * 100) / 100;
      return {
        synth,
        id,
        take,
        speaker: speakerName(voice),
        rate: rounded('rate', voice.rates),
        pitch: Math.round(draw('pitch', voice.pitches)),
        tract: rounded('tract', [0.86, 1.2]),
        mark: ['', '', '?', '!', ','][Math.floor(5 * vary('mark'))],
        unsteadyEnd: synth === 'festival',
        range: Math.round(draw('range', accent === undefined ? [6, 34] : [1, 8])),
        ...(accent === undefined ? {} : { accent, strong: vary('strong') < 0.5, vary }),
      };
    }),
  );
}

/** Takes of the training set: no held-out voice, and not the exact settings of a shipped clip. */
export function trainingTakes() {
  const shipped = new Set(SHIPPED.map(settingsKey));
  const heldOut = [...SHIPPED.filter((voice) => voice.heldOut), ...TEST].map((voice) => voice.id);
  for (const { id } of TRAINING) {
    if (heldOut.includes(id) || /[+]linda$/.test(id))
      throw new Error(`${id} is held out of the training set`);
  }
  return drawTakes(TRAINING).map((take) =>
    shipped.has(settingsKey(take)) ? { ...take, pitch: take.pitch + 1 } : take,
  );
}

export function testTakes() {
  return drawTakes(TEST);
}
