/**
 * Fingerprints as spoken words: the PGP word list (P. Juola and P. Zimmermann, 1995). A byte at an even position becomes
 * a word of two syllables, one at an odd position a word of three, so that a word left out, said twice or swapped with
 * its neighbour is heard. For public data only: it is no seed-phrase list and carries no checksum.
 */
import { fail } from './errors.ts';

const EVEN = `
aardvark absurd accrue acme adrift adult afflict ahead aimless Algol allow alone ammo ancient apple artist
assume Athens atlas Aztec baboon backfield backward banjo beaming bedlamp beehive beeswax befriend Belfast
berserk billiard bison blackjack blockade blowtorch bluebird bombast bookshelf brackish breadline breakup
brickyard briefcase Burbank button buzzard cement chairlift chatter checkup chisel choking chopper Christmas
clamshell classic classroom cleanup clockwork cobra commence concert cowbell crackdown cranky crowfoot crucial
crumpled crusade cubic dashboard deadbolt deckhand dogsled dragnet drainage dreadful drifter dropper drumbeat
drunken Dupont dwelling eating edict egghead eightball endorse endow enlist erase escape exceed eyeglass
eyetooth facial fallout flagpole flatfoot flytrap fracture framework freedom frighten gazelle Geiger glitter
glucose goggles goldfish gremlin guidance hamlet highchair hockey indoors indulge inverse involve island
jawbone keyboard kickoff kiwi klaxon locale lockup merit minnow miser Mohawk mural music necklace Neptune
newborn nightbird Oakland obtuse offload optic orca payday peachy pheasant physique playhouse Pluto preclude
prefer preshrunk printer prowler pupil puppy python quadrant quiver quota ragtime ratchet rebirth reform
regain reindeer rematch repay retouch revenge reward rhythm ribcage ringbolt robust rocker ruffled sailboat
sawdust scallion scenic scorecard Scotland seabird select sentence shadow shamrock showgirl skullcap skydive
slingshot slowdown snapline snapshot snowcap snowslide solo southward soybean spaniel spearhead spellbind
spheroid spigot spindle spyglass stagehand stagnate stairway standard stapler steamship sterling stockman
stopwatch stormy sugar surmount suspense sweatband swelter tactics talon tapeworm tempest tiger tissue tonic
topmost tracker transit trauma treadmill Trojan trouble tumor tunnel tycoon uncut unearth unwind uproot upset
upshot vapor village virus Vulcan waffle wallet watchword wayside willow woodlark Zulu
`;

const ODD = `
adroitness adviser aftermath aggregate alkali almighty amulet amusement antenna applicant Apollo armistice
article asteroid Atlantic atmosphere autopsy Babylon backwater barbecue belowground bifocals bodyguard
bookseller borderline bottomless Bradbury bravado Brazilian breakaway Burlington businessman butterfat Camelot
candidate cannonball Capricorn caravan caretaker celebrate cellulose certify chambermaid Cherokee Chicago
clergyman coherence combustion commando company component concurrent confidence conformist congregate
consensus consulting corporate corrosion councilman crossover crucifix cumbersome customer Dakota decadence
December decimal designing detector detergent determine dictator dinosaur direction disable disbelief
disruptive distortion document embezzle enchanting enrollment enterprise equation equipment escapade Eskimo
everyday examine existence exodus fascinate filament finicky forever fortitude frequency gadgetry Galveston
getaway glossary gossamer graduate gravity guitarist hamburger Hamilton handiwork hazardous headwaters
hemisphere hesitate hideaway holiness hurricane hydraulic impartial impetus inception indigo inertia infancy
inferno informant insincere insurgent integrate intention inventive Istanbul Jamaica Jupiter leprosy
letterhead liberty maritime matchmaker maverick Medusa megaton microscope microwave midsummer millionaire
miracle misnomer molasses molecule Montana monument mosquito narrative nebula newsletter Norwegian October
Ohio onlooker opulent Orlando outfielder Pacific pandemic Pandora paperweight paragon paragraph paramount
passenger pedigree Pegasus penetrate perceptive performance pharmacy phonetic photograph pioneer pocketful
politeness positive potato processor provincial proximate puberty publisher pyramid quantity racketeer
rebellion recipe recover repellent replica reproduce resistor responsive retraction retrieval retrospect
revenue revival revolver sandalwood sardonic Saturday savagery scavenger sensation sociable souvenir
specialist speculate stethoscope stupendous supportive surrender suspicious sympathy tambourine telephone
therapist tobacco tolerance tomorrow torpedo tradition travesty trombonist truncated typewriter ultimate
undaunted underfoot unicorn unify universe unravel upcoming vacancy vagabond vertigo Virginia visitor vocalist
voyager warranty Waterloo whimsical Wichita Wilmington Wyoming yesteryear Yucatan
`;

const list = (text: string): readonly string[] => Object.freeze(text.trim().split(/\s+/));

/** The word of each byte value at even positions (0, 2, …), then at odd positions (1, 3, …). */
const LISTS = [list(EVEN), list(ODD)] as const;

/** Where a word stands in the list: its byte, and whether it belongs to an even or an odd position counted from 0. */
export interface ListedWord {
  readonly word: string;
  readonly byte: number;
  readonly parity: 'even' | 'odd';
}

// every word stands in one list only, so that a word alone tells its parity
const INDEX: ReadonlyMap<string, ListedWord> = new Map(
  LISTS.flatMap((words, odd) =>
    words.map((word, byte) => [word.toLowerCase(), { word, byte, parity: odd === 1 ? 'odd' : 'even' }] as const),
  ),
);

/** One word a byte, even and odd list in turn. Public bytes only. */
export function words(bytes: Uint8Array): string[] {
  return Array.from(bytes, (byte, i) => LISTS[(i % 2) as 0 | 1][byte] as string);
}

/**
 * Words for the screen and for paper: four to a row, each with its number counted from 1, in columns; at most 80 columns
 * wide. A word that is kept back for a comparison may be handed in as dots.
 */
export function formatWords(shown: readonly string[]): string[] {
  const cells = shown.map((word, i) => `${String(i + 1).padStart(3)} ${word.padEnd(COLUMN)}`);
  const rows: string[] = [];
  for (let i = 0; i < cells.length; i += 4) rows.push(cells.slice(i, i + 4).join(' ').trimEnd());
  return rows;
}

// the longest word has 11 letters: 4 × (3 + 1 + 13) + 3 = 71 columns
const COLUMN = 13;

/**
 * The listed word that somebody typed, whatever its case and the spaces around it; undefined if it is none.
 */
export function parseWord(text: string): ListedWord | undefined {
  return INDEX.get(text.trim().toLowerCase());
}

/**
 * The bytes of words as typed or read aloud: the inverse of {@link words}.
 * @throws E_WORDS naming the first word (counted from 1) that is not in the list, or that belongs to the other kind of
 *   position: one was left out, repeated or swapped
 */
export function parseWords(typed: readonly string[]): Uint8Array {
  return Uint8Array.from(typed, (text, i) => {
    const found = parseWord(text);
    if (found === undefined) fail('E_WORDS', `word ${String(i + 1)} is not in the word list`);
    if (found.parity !== (i % 2 === 1 ? 'odd' : 'even'))
      fail('E_WORDS', `word ${String(i + 1)} stands in the wrong place: one was left out, repeated or swapped`);
    return found.byte;
  });
}
