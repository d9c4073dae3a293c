import assert from 'node:assert/strict'
import { test } from 'node:test'
import { analyseText } from './analyse-text.ts'
import { extract } from './extract.ts'

function found(text: string) {
  const answer = extract({ text, article: undefined, language: 'en', knownTags: [] })
  assert.ok(answer.kind === 'done')
  return { ...answer, names: answer.tags.map(({ name }) => name) }
}

/** A day of an old diary: long sentences, people by their roles, the same places again and again. */
const diary = `Up betimes and to my office. This morning Sir W. Batten and I by barge to Deptford, and there saw the new ship upon the stocks, which is a fine ship and almost done. Thence by water to Paul's Churchyard, where my bookseller showed me a map of Tangier, which I bought for ten shillings, though my wife did chide me. After dinner with my Lord, who was in good humour on Monday, to Deptford again, where we found the workmen idle. And so home and to bed, with my mind in much trouble about the workmen and the ship.`

test('VLT-40 A title begins where a sentence begins, and tags are phrases of the text that say what it is about', () => {
  const { title, summary, names, tags } = found(diary)
  assert.ok(diary.includes(title) && /(?:^|[.] )$/.test(diary.slice(0, diary.indexOf(title))), title)
  for (const name of names) assert.ok(diary.toLowerCase().includes(name), name)
  assert.ok(names.includes('deptford') && names.includes('workmen'), names.join())
  for (const name of ['lord', 'wife', 'monday', 'morning', 'water', 'bed', 'dinner', 'mind']) assert.ok(!names.includes(name), name)
  assert.ok(summary.length <= 500 && summary.includes('Deptford'))
  const confidenceOf = (name: string) => tags.find((tag) => tag.name === name)?.confidence ?? 0
  assert.ok(confidenceOf('deptford') > (tags.find(({ name }) => diary.toLowerCase().split(name).length === 2)?.confidence ?? 0), 'what stands there twice is surer')
})

test('VLT-40 What belongs to somebody is no phrase with them unless the text says so', () => {
  const { names } = found("We walked around St. Paul's Churchyard twice. Paul's Churchyard is where the books are. The bookseller of Paul's Churchyard was closed.")
  assert.ok(!names.includes('paul churchyard'))
  for (const name of names) assert.ok("we walked around st. paul's churchyard twice. paul's churchyard is where the books are. the bookseller".includes(name), name)
})

test('VLT-40 A heading is the title and not said again; a short text is its own summary', () => {
  const review = found(
    '# Sprint review\n\nWe shipped the importer. Anna will fix the login bug before Friday. The database migration took 40 minutes, which is too long.\n\nNext: performance tests for the importer.',
  )
  assert.equal(review.title, 'Sprint review')
  assert.ok(!review.summary.includes('Sprint review'))
  assert.ok(!review.names.includes('friday'))
  const call = 'Dr. Smith said the results come on Jan. 5th. Mr. Jones will call me.'
  assert.equal(found(call).summary, call)
})

test('VLT-40 Other languages have titles of their own and no tags of words that every text has', () => {
  const train = found('Le train pour Lyon part à huit heures du matin. Il faut réserver les billets avant vendredi, sinon le prix du train augmente beaucoup.')
  assert.equal(train.title, 'Le train pour Lyon part à huit heures du matin')
  assert.ok(train.names.includes('train') && !train.names.includes('avant') && !train.names.includes('vendredi'), train.names.join())
  const meeting = found(
    'Die Sitzung wurde auf Donnerstag verschoben. Der Haushalt des Projekts ist knapp, und die Verwaltung möchte die Zahlen bis Mittwoch sehen. Frau Müller schickt die Unterlagen zur Sitzung.',
  )
  assert.equal(meeting.names[0], 'sitzung')
  assert.ok(!meeting.names.some((name) => ['wurde', 'möchte', 'donnerstag', 'mittwoch'].includes(name)), meeting.names.join())
  const chinese = found('买牛奶和面包。明天下午三点在北京大学开会讨论机器学习项目。机器学习项目的预算需要更新。')
  assert.deepEqual([chinese.names, chinese.summary], [['机器学习项目'], '买牛奶和面包。明天下午三点在北京大学开会讨论机器学习项目。机器学习项目的预算需要更新。'])
  const japanese = found('明日の午後、東京駅で田中さんと会う。新しいプロジェクトの予算について話す予定です。')
  assert.ok(!japanese.names.some((name) => /\p{Script=Hiragana}/u.test(name)), japanese.names.join())
})

test('VLT-40 An initial, a title and a gap end no sentence', () => {
  const text =
    'At the office this morning Sir W. Batten and Mrs. Turner spoke of the harbour. The harbour is full of ships from Dr. Pierce … of all that came from Spain. Thos. Tippet has the keys of the harbour. Nobody else knows of the ships, and the watch sleeps.'
  const { summary } = found(text)
  for (const [later, earlier] of [
    ['Turner', 'At the office this morning Sir W. Batten and Mrs. '],
    ['of all', 'The harbour is full of ships from Dr. Pierce … '],
    ['Tippet', 'Thos. '],
  ] as const) {
    assert.ok(!summary.includes(later) || summary.includes(`${earlier}${later}`), summary)
  }
})

test('VLT-40 A shortened name ends no sentence', () => {
  const { sentences } = analyseText('There I met Sir Robt. Slingsby, but did no business. Then came Jno. Lawson and Chas. Carter.', 'en')
  assert.deepEqual(
    sentences.map(({ text }) => text),
    ['There I met Sir Robt. Slingsby, but did no business.', 'Then came Jno. Lawson and Chas. Carter.'],
  )
})

test('VLT-40 A title is no clause that leans on what stands before it', () => {
  const { title } = found(
    'Among others came the clerk of the yard, who will discover to me the whole abuse that is done in the measuring of the timber. He was here long. The measuring of timber is a mystery to me, and I will learn the measuring of timber. So to bed.',
  )
  assert.ok(!/^(?:will|who|that|he)\b/iu.test(title), title)
})

// Taken apart by the model each would take minutes.
test('VLT-37 VLT-40 A text without blanks takes no longer than another: the one thread serves everybody', () => {
  for (const piece of ['http://a.b/', 'a-', '$1', '&', '_']) {
    const text = `The man is in the house and it was a good day for all of us. ${piece.repeat(20_000)}`.slice(0, 20_000)
    const answer = extract({ text: text.slice(0, 10_000), article: { title: '', text }, language: 'en', knownTags: [] })
    assert.equal(answer.kind, 'done')
  }
})
