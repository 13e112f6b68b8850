// The words of the clips. Other words than digits are of two disjoint lists, one to train with and one to measure
// with; none is said like a digit (won, to, too, for, fore, ate) or stands for one (oh, nil).

export const DIGITS = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];

const split = (text) => text.trim().split(/\s+/);

/** Words that differ from a digit by a sound or two: said twice as often. */
const NEAR = split(`
  hero arrow narrow euro zebra nero row sorrow  run fun wine when win wand once want
  do you shoe true tooth tube tune  tree free through thread threat throw  fort form floor door more store
  fight file fine hive dive live alive fire pipe  sick fix sit socks mix kick thick silk since
  sever heaven eleven never several second savage  late gate hate age ape aid ace wait  nice night mine line dine
  sign knife nigh none noon shine
`);

const COMMON = split(`
  yes no up down left right stop go on off start begin end open close back next play pause hello goodbye please thanks
  sorry welcome morning evening today tomorrow winter summer monday friday april march june july october
  red blue white black brown orange purple pink grey gold
  cat dog bird horse cow fish mouse sheep tiger lion bear wolf rabbit monkey
  house home room kitchen window wall chair bed lamp street road city village bridge church school market
  water bread butter cheese apple lemon banana salt meat soup tea milk juice cake
  man woman boy girl child mother father sister brother friend doctor teacher king queen people
  head hand foot arm leg eye ear nose mouth hair heart
  book paper letter number picture music song dance radio computer button message answer question
  car bus train ship plane bicycle engine wheel
  sun moon star rain snow wind cloud sea lake forest flower grass stone
  big small long short old young hot cold good bad happy sad quick slow hard soft
  ten twelve hundred thousand million half quarter plus minus
  peter mary john anna george lucas susan michael laura david emma paris london berlin marvin sheila
`);

const SYLLABLES = split(
  'ah uh mm um ee ooh la ba da mo pa key goo she bow may show law ray wow yeah hum shush ugh',
);

export const OTHER_WORDS = [...new Set([...NEAR, ...COMMON])];

/** Says `[text, weight]` of what is said to train with; two words in a row, made of the list, are among them. */
export function otherTexts() {
  const pairs = COMMON.map((word, i) => `${word} ${OTHER_WORDS[(i * 7 + 3) % OTHER_WORDS.length]}`);
  return [
    ...NEAR.map((text) => [text, 2]),
    ...COMMON.map((text) => [text, 1]),
    ...SYLLABLES.map((text) => [text, 1]),
    ...pairs.filter((_, i) => i % 4 === 0).map((text) => [text, 1]),
  ];
}

/** Words to measure with. */
export const TEST_WORDS = split(`
  freeze sticks nylon ferry hey wonder tool fold fist severe neon zoo tribe size weight twin stereo throat lemonade
  garden table yellow green river mountain sugar coffee telephone robert julia piano shoulder doctorate thursday
  february visual follow backward learn happiness
`);
