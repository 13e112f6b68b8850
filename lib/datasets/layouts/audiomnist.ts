import { SonospikeError } from '../../support/errors.js';
import type { Clip } from '../clip.js';
import { type Folder, type FoundFile, soundsBelow } from '../folder.js';
import { parseInSpeakerFolder, UNKNOWN_LABEL } from '../names.js';
import { folderAndName } from './folders.js';
import { ambiguousLayout, type Found, type Layout, type OfficialParts } from './layout.js';
import { shareOfUsualWords, someOf } from './words.js';

/**
 * Speakers in the five groups of the authors' cross-validation of digits (Becker et al. 2018, arXiv:1807.03418).
 * Fold k tests on group k and validates on the group before it.
 */
const GROUPS = [
  [26, 52, 60, 18, 32, 42, 5, 13, 22, 33, 45, 51],
  [28, 56, 7, 19, 35, 1, 6, 16, 23, 34, 46, 53],
  [36, 57, 9, 24, 37, 2, 8, 17, 29, 39, 48, 54],
  [43, 58, 14, 25, 38, 3, 10, 20, 30, 40, 49, 55],
  [12, 47, 59, 15, 27, 41, 4, 11, 21, 31, 44, 50],
];

/** AudioMNIST, and what `record` writes. */
export const audiomnist = {
  name: 'audiomnist',
  help: 'a folder for each speaker with label_speaker_index.wav in it, as AudioMNIST and record have',
  example: 'data/01/7_01_3.wav',
  find,
  key: folderAndName,
  official: { folds: GROUPS.length, divide },
} as const satisfies Layout;

interface InSpeakerFolder {
  found: FoundFile;
  folder: string;
}

function find(folder: Folder, asked: boolean): Found | null {
  const data = folder.folders.find(({ name }) => name === 'data');
  const home = data && data.sounds.length === 0 && isInSpeakerFolders(data) ? data : folder;
  if (!asked && !isInSpeakerFolders(home)) return null;
  const unfit = new Map<string, string>();
  const clips = filesOf(home).flatMap(({ found, folder: speaker }) => {
    const parsed = parseInSpeakerFolder(found.name, speaker);
    if (parsed !== null) return { ...parsed, found };
    unfit.set(found.path, `its name is not label_${speaker}_index.wav`);
    return [];
  });
  if (clips.length === 0) return null;
  if (!asked && !isOfSpeakers(home, clips)) return null;
  for (const { path } of soundsBelow(folder)) {
    if (!unfit.has(path)) unfit.set(path, 'not in the folder of a speaker');
  }
  return { clips, unfit };
}

function filesOf(home: Folder): InSpeakerFolder[] {
  return home.folders.flatMap(({ name, sounds }) => sounds.map((found) => ({ found, folder: name })));
}

/** Whether most files end with the name of their folder: one misnamed recording must not change the layout. */
function isInSpeakerFolders(home: Folder): boolean {
  const files = filesOf(home);
  const named = files.filter(({ found, folder }) => parseInSpeakerFolder(found.name, folder) !== null);
  return named.length * 2 > files.length;
}

/**
 * Whether the folders are speakers. `yes/anna_yes_0.wav` has the same form as `01/7_01_0.wav`, and there the folder is
 * the word.
 * @throws SonospikeError ERR_DATASET_LAYOUT where that cannot be told
 */
function isOfSpeakers(home: Folder, clips: Found['clips']): boolean {
  if (home.others.some(({ name }) => name === 'audioMNIST_meta.txt')) return true;
  const labels = new Set(clips.map(({ label }) => label));
  const folders = new Set(clips.map(({ speaker }) => speaker!));
  if (labels.has(UNKNOWN_LABEL)) return true;
  const [labelShare, folderShare] = [shareOfUsualWords(labels), shareOfUsualWords(folders)];
  if (labelShare !== folderShare) return labelShare > folderShare;
  const isCode = (name: string) => /^\d{2,}$/.test(name);
  const [codedLabels, codedFolders] = [[...labels].every(isCode), [...folders].every(isCode)];
  if (codedLabels !== codedFolders) return codedFolders;
  // Telling words apart takes two of them.
  if (folders.size === 1 || labels.size === 1) return folders.size === 1;
  throw ambiguousLayout(
    home.path,
    `in ${clips[0]!.found.path.slice(home.path.length + 1)} the folder can be the speaker or the word`,
    [
      { layout: 'audiomnist', meaning: `the words are ${someOf(labels)}` },
      { layout: 'folders', meaning: `the words are ${someOf(folders)}` },
    ],
  );
}

function divide(clips: readonly Clip[], fold: number, validating: boolean): OfficialParts {
  const parts: OfficialParts & { validation: Clip[] } = { train: [], validation: [], test: [] };
  const folds = GROUPS.length;
  for (const clip of clips) {
    const group = /^\d{1,2}$/.test(clip.speaker ?? '')
      ? GROUPS.findIndex((speakers) => speakers.includes(Number(clip.speaker)))
      : -1;
    if (group < 0) throw notOfAudioMnist(clip);
    if (group === fold - 1) parts.test.push(clip);
    else if (validating && group === (fold - 2 + folds) % folds) parts.validation.push(clip);
    else parts.train.push(clip);
  }
  return parts;
}

function notOfAudioMnist({ speaker }: Clip): SonospikeError {
  return new SonospikeError(
    'ERR_SPLIT_INVALID',
    `Speaker ${speaker} is none of AudioMNIST's 01 to 60, so these clips have no official split. ` +
      'Use random:<fraction>, speakers:<name,name> or leave-one-speaker-out.',
  );
}
