// English words in the mouths of voices of other languages: each English phoneme becomes the nearest one of the
// voice's own language, and the voice says that.

const VOWELS = new Set([
  'i:',
  'i',
  'I',
  'e',
  'E',
  'ae',
  'A',
  'a',
  'y',
  'O',
  'o',
  'o:',
  'ou',
  'U',
  'u',
  'u:',
  'V',
  '@',
  'er',
]);

/**
 * Phonemes in espeak-ng's IPA to the names used here; consonants that are not in it keep theirs. `y` is the second
 * half of a diphthong.
 */
const FROM_IPA = {
  iː: 'i:',
  ɪ: 'I',
  ᵻ: 'I',
  iə: 'i',
  eɪ: 'e y',
  ɛ: 'E',
  æ: 'ae',
  aɪ: 'a y',
  aʊ: 'a u',
  ɑː: 'A',
  ɑ: 'A',
  ɒ: 'O',
  ɔ: 'O',
  ɔː: 'O',
  oː: 'o:',
  ɔɪ: 'o y',
  oʊ: 'ou',
  əʊ: 'ou',
  ʊ: 'U',
  uː: 'u:',
  ʌ: 'V',
  ɜː: 'er',
  ə: '@',
  ɐ: '@',
  ɚ: '@ r',
  əl: '@ l',
  l̩: '@ l',
  n̩: '@ n',
  aɪɚ: 'a y @ r',
  aɪə: 'a y @',
  ɡ: 'g',
  θ: 'T',
  ð: 'D',
  ʃ: 'S',
  ʒ: 'Z',
  tʃ: 't S',
  dʒ: 'd Z',
  ŋ: 'N',
  ɹ: 'r',
  ɾ: 't',
  ʔ: 't',
  ɫ: 'l',
};

/**
 * Phonemes of an English word from espeak-ng's IPA with `_` between them. An `r` that no vowel follows is `r.`, and
 * `'` stands before the vowel that has the main stress.
 */
export function phonemesOf(ipa) {
  const phonemes = ipa.split(/[\s_]+/).flatMap((part) => {
    const [, stress, name, r] = /^([ˈˌ]*)(.*?)(ɹ?)$/u.exec(part);
    const names = name === '' ? [] : (FROM_IPA[name] ?? name).split(' ');
    if (stress.includes('ˈ')) names[0] = `'${names[0]}`;
    return r === '' ? names : [...names, 'r'];
  });
  return phonemes.map((name, i) => (name === 'r' && !isVowel(phonemes[i + 1]) ? 'r.' : name));
}

function isVowel(name) {
  return name !== undefined && VOWELS.has(name.replace("'", ''));
}

/** What most languages of espeak-ng have in place of English vowels. */
const NEAREST = { V: 'a', ae: 'a', A: 'a', O: 'o', I: 'i', U: 'u', ou: 'o u', er: 'e', y: 'i', 'r.': 'r' };
const GERMANIC = { I: 'I', O: 'O', ae: 'E', er: '@' };
const ROMANCE = { '@': 'e' };

/**
 * espeak-ng's voices: `usual` is how a speaker with a light accent says it, `strong` what changes with a heavy one.
 * No accent has t or f for the first sound of "three", which would make it "tree" or "free".
 */
export const ESPEAK_ACCENTS = {
  de: {
    usual: { ...GERMANIC, U: 'U' },
    strong: { w: 'v', T: 's', D: 'z', r: 'R', 'r.': '@', ou: 'o:' },
  },
  nl: { usual: GERMANIC, strong: { w: 'v', T: 's', D: 'd', ou: 'o:' } },
  da: { usual: { ...GERMANIC, z: 's' }, strong: { w: 'v', T: 's', D: 'd', r: 'R', 'r.': '@' } },
  sv: { usual: { ...GERMANIC, U: 'U' }, strong: { z: 's', w: 'v', T: 's', D: 'd' } },
  nb: { usual: { ...GERMANIC, U: 'U' }, strong: { z: 's', w: 'v', T: 's', D: 'd' } },
  fr: { usual: {}, strong: { T: 's', D: 'z', h: '', ou: 'o', 'o:': 'o' } },
  'fr-be': { usual: {}, strong: { T: 's', D: 'z', h: '', ou: 'o', 'o:': 'o' } },
  es: { usual: ROMANCE, strong: { z: 's', ou: 'o', 'i:': 'i', 'u:': 'u', h: 'x' } },
  'es-419': { usual: ROMANCE, strong: { z: 's', T: 's', ou: 'o', h: 'x' } },
  it: { usual: ROMANCE, strong: { T: 's', D: 'd', h: '', ou: 'o' } },
  pt: { usual: ROMANCE, strong: { T: 's', D: 'd', h: '', ou: 'o' } },
  'pt-br': { usual: ROMANCE, strong: { T: 's', D: 'd', ou: 'o' } },
  ro: { usual: {}, strong: { T: 's', D: 'd', ou: 'o' } },
  el: { usual: ROMANCE, strong: { ou: 'o', 'o:': 'o', 'i:': 'i', 'u:': 'u', S: 's', h: 'x' } },
  pl: { usual: ROMANCE, strong: { w: 'v', T: 's', D: 'z', ou: 'o', 'o:': 'o', h: 'x' } },
  cs: { usual: ROMANCE, strong: { w: 'v', T: 's', D: 'd', ou: 'o:' } },
  hu: { usual: ROMANCE, strong: { w: 'v', T: 's', D: 'd', ou: 'o:' } },
  sr: { usual: ROMANCE, strong: { w: 'v', T: 's', D: 'd', ou: 'o' } },
  ru: { usual: ROMANCE, strong: { w: 'v', T: 's', D: 'z', h: 'x', ou: 'o' } },
  tr: { usual: ROMANCE, strong: { w: 'v', T: 's', D: 'd', ou: 'o' } },
  fi: { usual: { E: 'e', '@': 'e' }, strong: { z: 's', w: 'v', T: 's', D: 'd', ou: 'o u' } },
  hi: { usual: { w: 'v' }, strong: { D: 'd', ou: 'o:' } },
  ar: { usual: { E: 'e' }, strong: { r: 'r', ou: 'o:' } },
  id: { usual: ROMANCE, strong: { T: 's', D: 'd', ou: 'o' } },
};

/** Text in espeak-ng's phoneme notation. `language` is a key of ESPEAK_ACCENTS. */
export function espeakPhonemes(phonemes, language, strong) {
  const accent = ESPEAK_ACCENTS[language];
  const table = { ...NEAREST, ...accent.usual, ...(strong ? accent.strong : {}) };
  const said = phonemes.map((name) => {
    const [, stress, plain] = /^('?)(.*)$/.exec(name);
    return stress + (table[plain] ?? plain).replace(' ', '');
  });
  return `[[${said.join('')}]]`;
}

const CZECH = {
  ...NEAREST,
  er: 'e',
  '@': 'e',
  E: 'e',
  'i:': 'i:',
  'u:': 'u:',
  'o:': 'o:',
  A: 'a:',
  w: 'v',
  T: 's',
  D: 'd',
  y: 'j',
  S: 's~',
  Z: 'z~',
  N: 'n',
};
const FINNISH = {
  ...NEAREST,
  er: '7',
  '@': 'e',
  E: 'e',
  A: 'a:',
  w: 'v',
  z: 's',
  T: 's',
  D: 'd',
  Z: 's',
  S: 's',
};
const ITALIAN = {
  ...NEAREST,
  er: 'e',
  '@': 'e',
  'i:': 'i',
  'u:': 'u',
  'o:': 'o',
  E: 'e',
  w: 'u',
  T: 's',
  D: 'd',
  Z: 'dZ',
  h: '',
  N: 'n',
  j: 'i',
};
const HINDI = {
  ...NEAREST,
  V: 'a',
  er: 'a',
  '@': 'a',
  'i:': 'iy',
  i: 'iy',
  I: 'ih',
  'u:': 'uw',
  u: 'uw',
  U: 'uh',
  'o:': 'oo',
  o: 'oo',
  ou: 'oo',
  O: 'aw',
  e: 'ee',
  E: 'eh',
  ae: 'eh',
  A: 'aa',
  a: 'aa',
  w: 'v',
  T: 'th',
  D: 'dh',
  z: 'j',
  y: 'y',
  t: 'T',
  d: 'D',
  S: 'sh',
  Z: 'zh',
  j: 'y',
  N: 'n',
};

/** Czech has no voiced consonant at the end of a word, and the others' diphones lack some. */
const DEVOICED = { v: 'f', d: 't', b: 'p', g: 'k', z: 's', Z: 'S' };

/** festival's diphone voices of other languages: phoneme table, what ends a word, and the name of silence. */
export const FESTIVAL_ACCENTS = {
  lp_diphone: { table: ITALIAN, silence: '#' },
  pc_diphone: { table: ITALIAN, silence: '#' },
  czech_ph: { table: CZECH, ending: DEVOICED, silence: '#' },
  czech_dita: { table: CZECH, ending: DEVOICED, silence: '#' },
  czech_machac: { table: CZECH, ending: DEVOICED, silence: '#' },
  czech_krb: { table: CZECH, ending: DEVOICED, silence: '#' },
  suo_fi_lj_diphone: { table: FINNISH, ending: { d: 't', b: 'p', g: 'k' }, silence: '#' },
  hy_fi_mv_diphone: { table: FINNISH, silence: '#' },
  hindi_NSK_diphone: { table: HINDI, ending: { z: 's', Z: 'S' }, silence: 'pau' },
};

/** Lengths in seconds at ordinary speed, about those of a word said alone. */
function seconds(name, stressed, last) {
  if (isVowel(name)) return stressed || name.endsWith(':') || name === 'ou' ? 0.17 : 0.09;
  if (/^[fsTSh]$/.test(name)) return 0.12;
  if (/^[ptkbdg]$/.test(name)) return 0.085;
  return last ? 0.11 : 0.075;
}

/**
 * Segments for festival: `(phone seconds (place Hz) ...)`. `pitch` is the voice's middle in Hz, `range` how far it
 * moves in semitones, down or, for a question, up; `vary(name)` draws from [0, 1). The silences are short because
 * those of some voices hiss.
 */
export function festivalSegments(phonemes, voice, { rate, pitch, range, mark, vary }) {
  const { table, ending = {}, silence } = FESTIVAL_ACCENTS[voice];
  const phones = phonemes.flatMap((name, i) => {
    const last = i === phonemes.length - 1;
    const unstressed = name.replace("'", '');
    const plain = (last && ending[unstressed]) || unstressed;
    const said = (table[plain] ?? plain).split(' ').filter((phone) => phone !== '');
    const length = seconds(plain, name.startsWith("'"), last) * (0.8 + 0.4 * vary(`length ${i}`));
    return said.map((phone) => ({ phone, length: length / rate / Math.sqrt(said.length) }));
  });
  const total = phones.reduce((sum, { length }) => sum + length, 0);
  const direction = mark === '?' ? 1 : -1;
  let at = 0;
  const parts = phones.map(({ phone, length }) => {
    const along = (at + length / 2) / total - 0.5;
    at += length;
    const f0 = pitch * 2 ** ((direction * range * along) / 12);
    return `(${phone} ${length.toFixed(4)} (0.5 ${f0.toFixed(1)}))`;
  });
  return `((${silence} 0.04) ${parts.join(' ')} (${silence} 0.06))`;
}
