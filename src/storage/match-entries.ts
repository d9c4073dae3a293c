import type { Reader } from './database.ts'
import { entrySetOf, inBoth, inEither, memberTest, type EntrySet } from './entry-sets.ts'
import type { Part } from './list-parts.ts'
import { gramsOfTerm, isOneGram } from '../search/grams.ts'
import { readEntries, searchDialects } from './search-dialect.ts'

/** One text that must occur: in a searched field of the record, or in what belongs to it. */
export interface MatchingTerm {
  /** Folded. */
  readonly text: string
  /** Collection that holds a record of the same id whose searched fields count too. */
  readonly alsoIn?: string
  /** Collection that the record's members are in; their searched fields count too. */
  readonly membersIn?: string
  /** Only the members count. */
  readonly membersOnly?: boolean
}

/** Where terms are looked for. */
export interface MatchPlan {
  readonly space: number
  readonly collection: string
  /** Condition on the entry's row, `item`, that records fulfil which may fit. */
  readonly among: Part
  readonly terms: readonly MatchingTerm[]
  /** Whether to tell where in a record its terms stand. */
  readonly scored: boolean
}

/** Records that have all terms. */
export interface Matched {
  readonly entries: EntrySet
  /** Where each term stands, in the order of the terms. */
  readonly places: readonly TermPlaces[]
}

/** Entries by where a term stands in them; the first three know only of entries that matched, and only when asked to score. */
export interface TermPlaces {
  /** The first field, where a word begins. */
  readonly begins: EntrySet
  /** The first field. */
  readonly inFirst: EntrySet
  /** No searched field. */
  readonly absent: EntrySet
  readonly inMember: EntrySet
}

/**
 * Finds what has all terms. What may have a term is known from its grams without reading a text; texts are read once, of what may have all of them.
 * Sets are joined here and not by the database: it would look every record up in each.
 */
export async function matchEntries(reader: Reader, plan: MatchPlan): Promise<Matched> {
  const { terms } = plan
  await searchDialects[reader.dialect.name].begin(reader)
  let candidates: EntrySet | undefined
  const others = new Map<string, EntrySet>()
  const entriesOf = async (name: string): Promise<EntrySet> => {
    const known = others.get(name) ?? (await readSet(reader, { text: `SELECT ${entriesText(reader)} AS entries FROM holdfast_search WHERE space = ? AND collection = ?`, values: [plan.space, name] }))
    others.set(name, known)
    return known
  }
  const found: { readonly term: MatchingTerm; readonly inMember: EntrySet; readonly elsewhere: EntrySet }[] = []
  for (const term of terms) {
    const withGrams = await gramEntries(reader, gramsOfTerm(plan.space, term.text))
    const isAlso = term.alsoIn !== undefined && term.membersOnly !== true
    const inAlso = isAlso ? await belonging(reader, plan, { term, entries: inBoth(await entriesOf(term.alsoIn), withGrams), of: 'record' }) : []
    const inMember = term.membersIn === undefined ? [] : await belonging(reader, plan, { term, entries: inBoth(await entriesOf(term.membersIn), withGrams), of: 'member' })
    const elsewhere = inEither(inAlso, inMember)
    found.push({ term, inMember, elsewhere })
    const having = term.membersOnly === true ? inMember : inEither(withGrams, elsewhere)
    candidates = candidates === undefined ? having : inBoth(candidates, having)
    if (candidates.length === 0) return { entries: [], places: [] }
  }
  const possible = await amongListed(reader, plan.among, candidates ?? [])
  if (possible.length === 0) return { entries: [], places: [] }
  const places = await readPlaces(reader, possible, plan)
  const tests = found.map(({ term, elsewhere }, index) => ({ isOwn: term.membersOnly !== true, isAbsent: memberTest(places[index]?.absent ?? []), isElsewhere: memberTest(elsewhere) }))
  const entries = possible.filter((entry) => tests.every(({ isOwn, isAbsent, isElsewhere }) => (isOwn && !isAbsent(entry)) || isElsewhere(entry)))
  return { entries, places: places.map((place, index) => ({ ...place, inMember: found[index]?.inMember ?? [] })) }
}

/** More than this are not asked for one by one. */
const ASKED_MAX = 5_000

/** Those of the candidates that are listed. */
async function amongListed(reader: Reader, { text, values }: Part, candidates: EntrySet): Promise<EntrySet> {
  const { givenRows, entriesParameter, entriesText: textOf } = searchDialects[reader.dialect.name]
  const select = `SELECT ${textOf('item.entry')} AS entries FROM`
  if (candidates.length > ASKED_MAX) return inBoth(await readSet(reader, { text: `${select} holdfast_search AS item WHERE ${text}`, values }), candidates)
  return readSet(reader, {
    text: `${select} ${givenRows('item')} WHERE ${text}`,
    values: [entriesParameter(candidates), ...values],
  })
}

function entriesText({ dialect }: Reader): string {
  return searchDialects[dialect.name].entriesText('entry')
}

/** A set by a statement that gives it as `entries`. */
async function readSet(reader: Reader, { text, values }: Part): Promise<EntrySet> {
  const [row] = await reader.all<{ readonly entries: string }>(text, values)
  return entrySetOf(readEntries(row?.entries ?? '[]'))
}

/** What has all these grams, in whatever collection: more than has the terms that they are of, unless each is one gram itself. */
export async function gramEntries(reader: Reader, grams: Iterable<number>): Promise<EntrySet> {
  const { entriesWithGrams, gramsText } = searchDialects[reader.dialect.name]
  return readSet(reader, { text: `SELECT ${entriesText(reader)} AS entries FROM (${entriesWithGrams}) AS found`, values: [gramsText(grams)] })
}

interface Belonging {
  readonly term: MatchingTerm
  /** Entries of another collection that may have the term. */
  readonly entries: EntrySet
  /** How a record of the collection goes with them: by its id, or as what it has for a member. */
  readonly of: 'record' | 'member'
}

/** Entries of the collection to which something belongs that has the term. */
async function belonging(reader: Reader, { space, collection }: MatchPlan, { term, entries, of }: Belonging): Promise<EntrySet> {
  if (entries.length === 0) return []
  const { contains, entriesText: textOf, givenRows, joinLinks, joinItem, entriesParameter } = searchDialects[reader.dialect.name]
  const given = entriesParameter(entries)
  const has = `${contains('other.body')} > 0`
  const select = `SELECT ${textOf('item.entry')} AS entries FROM ${givenRows('other')}`
  if (of === 'record') return readSet(reader, { text: `${select} ${joinItem('other.record')} WHERE ${has}`, values: [given, space, collection, term.text] })
  return readSet(reader, {
    text: `${select} ${joinLinks('other.record')} ${joinItem('link.record')} WHERE ${has}`,
    values: [given, space, collection, space, collection, term.text],
  })
}

/** Reads the texts of entries once, for all terms. */
async function readPlaces(reader: Reader, entries: EntrySet, { terms, scored }: Pick<MatchPlan, 'terms' | 'scored'>): Promise<Omit<TermPlaces, 'inMember'>[]> {
  const { contains, entriesText: textOf, givenRows, entriesParameter } = searchDialects[reader.dialect.name]
  // Of a term of one gram it is known already that it is there, and to be listed by time needs no more.
  const isRead = ({ text, membersOnly }: MatchingTerm): boolean => membersOnly !== true && (scored || !isOneGram(text))
  const own = terms.filter(isRead)
  const inHead = `${contains('item.head')} > 0`
  const columns = own.flatMap(({ text }, index): (Part & { readonly name: string })[] => [
    { name: `absent${index}`, text: `${contains('item.body')} = 0`, values: [text] },
    ...(scored
      ? [
          { name: `begins${index}`, text: inHead, values: [` ${text}`] },
          { name: `first${index}`, text: inHead, values: [text] },
        ]
      : []),
  ])
  const nothing = { absent: [], begins: [], inFirst: [] }
  if (columns.length === 0) return terms.map(() => nothing)
  const sql = `SELECT ${columns.map(({ name, text }) => `${textOf('item.entry', text)} AS ${name}`).join(', ')} FROM ${givenRows('item')}`
  const [row] = await reader.all<Record<string, string>>(sql, [...columns.flatMap(({ values }) => values), entriesParameter(entries)])
  const read = (name: string) => entrySetOf(readEntries(row?.[name] ?? '[]'))
  let at = -1
  return terms.map((term) => {
    if (!isRead(term)) return nothing
    at += 1
    return { absent: read(`absent${at}`), begins: read(`begins${at}`), inFirst: read(`first${at}`) }
  })
}
