import winkNLP, { type ItemSentence, type ItemToken } from 'wink-nlp'
import model from 'wink-eng-lite-web-model'
import { dullWords, functionWords } from './dull-words.ts'

/** A text taken apart: its sentences as they stand there, with the words that carry meaning, and phrases that could be tags. */
export interface AnalysedText {
  readonly sentences: readonly AnalysedSentence[]
  /** Lower-case phrases of the text with what speaks for them. */
  readonly phrases: ReadonlyMap<string, Phrase>
}

export interface AnalysedSentence {
  readonly text: string
  /** Lower case, without words that every text has. */
  readonly words: readonly string[]
}

export interface Phrase {
  readonly weight: number
  /** How often it stands in the text. */
  readonly count: number
}

const nlp = winkNLP(model, ['sbd', 'pos', 'ner'])
const { its } = nlp

/** The model takes a run without blanks apart in time that grows with its square or cube; no language has such words. */
const longRun = /\S{1000}/u
/** Share of a text's words that are English function words, above which it is read as English. */
const ENGLISH_SHARE_MIN = 0.25
const PHRASE_WORDS_MAX = 3
/** Names weigh more than common nouns, and each word more than the one before it. */
const NAME_WEIGHT = 1.6
const WORD_WEIGHT = 0.4

/** Takes a text apart. English by a trained model; other languages by the Unicode rules for words and sentences. */
export function analyseText(text: string, language: string): AnalysedText {
  if (!/\p{Script=Latin}/u.test(text) || /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]{4}/u.test(text)) return analyseSegments(text, language)
  if (longRun.test(text)) return analyseSegments(text, language)
  const doc = nlp.readDoc(text)
  const stops = doc.tokens().out(its.stopWordFlag) as boolean[]
  const isEnglish = stops.filter(Boolean).length >= stops.length * ENGLISH_SHARE_MIN
  return isEnglish || text.length < 80 ? analyseEnglish(text) : analyseSegments(text, language)
}

function analyseEnglish(text: string): AnalysedText {
  const doc = nlp.readDoc(text)
  const lower = text.toLowerCase()
  const phrases = new Map<string, Phrase>()
  const sentences: AnalysedSentence[] = []
  doc.sentences().each((sentence: ItemSentence) => {
    const words: string[] = []
    let run: { text: string; isName: boolean }[] = []
    const endRun = () => {
      notePhrase(phrases, run, lower)
      run = []
    }
    sentence.tokens().each((token: ItemToken) => {
      const word = token.out().toLowerCase()
      const isTellingWord = token.out(its.type) === 'word' && token.out(its.stopWordFlag) !== true && [...word].length >= 3 && !dullWords.has(bareWord(word))
      if (isTellingWord) words.push(word)
      const kind = token.out(its.pos)
      if (!isTellingWord || (kind !== 'NOUN' && kind !== 'PROPN')) return endRun()
      run.push({ text: word, isName: kind === 'PROPN' })
      // What belongs to somebody is another thing than they are.
      return /[’']s$/u.test(word) ? endRun() : undefined
    })
    endRun()
    sentences.push({ text: sentence.out().trim(), words })
  })
  return { sentences: mendSentences(text, sentences), phrases }
}

/** The end of a sentence that is none: an initial, a title, or what was left out. */
const goesOn = /(?:^|[\s(])(?:\p{Lu}|Mrs?|Ms|Dr|St|Sir|Captn?|Coll?|Lieut|Gen|Rev|Prof|Hon|Mons|Thos?|Wm|Geo|Robt|Jas|Jno|Chas|Edw|Nich|Saml|Esq|viz|vs|no|vol)\.$/u
const isLeftOut = /(?:…|\.\.\.)$/u

/** Joins what was cut apart behind an initial, a title or a gap. */
function mendSentences(text: string, sentences: readonly AnalysedSentence[]): AnalysedSentence[] {
  const mended: (AnalysedSentence & { readonly start: number })[] = []
  let end = 0
  for (const sentence of sentences) {
    const start = Math.max(end, text.indexOf(sentence.text, end))
    end = start + sentence.text.length
    const last = mended.at(-1)
    const isOne = last !== undefined && (goesOn.test(last.text) || (isLeftOut.test(last.text) && /^\p{Ll}/u.test(sentence.text))) && !text.slice(last.start, start).includes('\n')
    if (isOne) mended[mended.length - 1] = { start: last.start, text: text.slice(last.start, end), words: [...last.words, ...sentence.words] }
    else mended.push({ start, ...sentence })
  }
  return mended
}

/** Without what a word has behind it. */
function bareWord(word: string): string {
  return word.replace(/[’']s?$|\.$/u, '')
}

/** A run of nouns is one phrase, if it stands so in the text. */
function notePhrase(phrases: Map<string, Phrase>, run: readonly { text: string; isName: boolean }[], lower: string): void {
  if (run.length === 0 || run.length > PHRASE_WORDS_MAX) return
  const phrase = run.map(({ text }, index) => (index === run.length - 1 ? text.replace(/[’']s?$/u, '') : text)).join(' ')
  if (!lower.includes(phrase)) return
  addPhrase(phrases, phrase, (run.every(({ isName }) => isName) ? NAME_WEIGHT : 1) * (1 + WORD_WEIGHT * (run.length - 1)))
}

function addPhrase(phrases: Map<string, Phrase>, phrase: string, weight: number): void {
  const known = phrases.get(phrase)
  phrases.set(phrase, { weight: (known?.weight ?? 0) + weight, count: (known?.count ?? 0) + 1 })
}

/** Sentences and words by the Unicode rules of the language, with its dictionary where it writes no blanks. */
function analyseSegments(text: string, language: string): AnalysedText {
  const phrases = new Map<string, Phrase>()
  const joined = new Map<string, Phrase>()
  const segmenter = new Intl.Segmenter(language, { granularity: 'word' })
  const sentences = [...new Intl.Segmenter(language, { granularity: 'sentence' }).segment(text)].map(({ segment }) => {
    const found: string[] = []
    let run: string[] = []
    for (const { segment: word, index, isWordLike } of segmenter.segment(segment)) {
      if (isWordLike !== true || !isTelling(word)) {
        run = []
        continue
      }
      const lower = word.toLowerCase()
      found.push(lower)
      // A capital in the middle of a sentence is a name, or a noun in German.
      addPhrase(phrases, lower, index > 0 && word !== lower ? NAME_WEIGHT : 1)
      if (!noBlanks.test(word)) continue
      run = [...run, lower].slice(-PHRASE_WORDS_MAX)
      for (let start = 0; start < run.length - 1; start += 1) addPhrase(joined, run.slice(start).join(''), 1 + WORD_WEIGHT * (run.length - start))
    }
    return { text: segment.trim(), words: found }
  })
  // Words without blanks between them are one phrase where they stand together again and again.
  for (const [phrase, known] of joined) if (known.count > 1) phrases.set(phrase, known)
  return { sentences: sentences.filter((sentence) => sentence.text !== ''), phrases }
}

const noBlanks = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u

/** Where words are written without blanks two characters are a word, unless they only join others; elsewhere short words mostly join others. */
function isTelling(word: string): boolean {
  const length = [...word].length
  if (functionWords.has(word.toLowerCase())) return false
  // In Japanese and Korean endings tell verbs and what joins words from what they are about.
  if (/\p{Script=Hiragana}/u.test(word) || /(?:니다|까요|어요|아요)$/u.test(word)) return false
  return /[\p{Script=Han}\p{Script=Katakana}\p{Script=Hangul}]/u.test(word) ? length >= 2 : length >= 4 && /\p{L}/u.test(word)
}
