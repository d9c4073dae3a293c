/** How a route of the dialect is listed in the description of the API. */
export function about(summary: string): { readonly schema: { readonly tags: string[]; readonly summary: string } } {
  return { schema: { tags: ['vault'], summary } }
}
