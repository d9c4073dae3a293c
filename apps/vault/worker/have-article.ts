import type { StoredRecord } from 'holdfast'
import type { JobContext } from 'holdfast/server'
import { fieldsOf, itemOf } from '../rules/item-fields.ts'
import { readAddress } from '../url-key.ts'
import type { Article, ArticleFetcher } from './fetch-article.ts'

export interface WantedArticle {
  readonly item: StoredRecord
  /** The attempt of the run, from 1. */
  readonly attempt: number
}

/** The article of an item's page, fetched and stored when it is not there yet; undefined where there is none to read. */
export async function haveArticle(fetcher: ArticleFetcher, context: JobContext, { item, attempt }: WantedArticle): Promise<Article | undefined> {
  const { url, rawText } = itemOf(item.fields)
  const address = url ?? readAddress(rawText)
  if (address === undefined) return undefined
  const stored = await storedArticle(context, item.id)
  // What an earlier attempt of this run has fetched is not asked for again.
  if (attempt > 1 && stored?.status === 'done' && (stored.fetchedAt ?? 0) >= item.updatedAt) return stored
  const fetched = await fetcher.fetchArticle(address, context.signal)
  // An article that is there already is worth more than the news that it is gone.
  if (fetched.status !== 'done' && stored?.status === 'done') return stored
  const article: Article = { ...fetched, itemId: item.id, fetchedAt: context.now() }
  await context.commit({ mutations: [{ collection: 'articles', id: item.id, op: 'put', data: fieldsOfArticle(article) }] })
  return article.status === 'done' ? article : undefined
}

async function storedArticle({ records }: JobContext, id: string): Promise<Article | undefined> {
  const found = await records.get('articles', id)
  return found === undefined || found.deletedAt !== null ? undefined : (found.fields as unknown as Article)
}

function fieldsOfArticle(article: Article): ReturnType<typeof fieldsOf> {
  return article
}
