/** What is read of a node of a page. */
export interface PageNode {
  readonly nodeType: number
  readonly nodeName: string
  readonly textContent: string | null
  readonly firstChild: PageNode | null
  readonly nextSibling: PageNode | null
}

const ELEMENT = 1
const TEXT = 3

const blocks = new Set(
  'ADDRESS ARTICLE ASIDE BLOCKQUOTE CAPTION DD DETAILS DIV DL DT FIGCAPTION FIGURE FOOTER FORM H1 H2 H3 H4 H5 H6 HEADER HR LI MAIN NAV OL P PRE SECTION SUMMARY TABLE TR UL'.split(' '),
)
const unread = new Set(['SCRIPT', 'STYLE', 'NOSCRIPT', 'TEMPLATE', 'IFRAME', 'SVG', 'MATH', 'BUTTON', 'SELECT'])

/** The text of a page as a person reads it: a paragraph for each block, no markup. */
export function plainText(root: PageNode): string {
  const parts: string[] = []
  // The page decides how deep it is nested: a list of what is left takes the place of recursion.
  const left: (PageNode | string)[] = [root]
  for (let node = left.pop(); node !== undefined; node = left.pop()) {
    if (typeof node === 'string') parts.push(node)
    else if (node.nodeType === TEXT) parts.push((node.textContent ?? '').replaceAll(/\s+/gu, ' '))
    else if (node.nodeType !== ELEMENT || node === root) pushChildren(left, node)
    else pushElement(left, node)
  }
  return parts
    .join('')
    .split('\n')
    .map((line) => line.replaceAll(/[^\S\n]+/gu, ' ').trim())
    .join('\n')
    .replaceAll(/\n{3,}/gu, '\n\n')
    .trim()
}

/** Puts what an element says on top of what is left, its end first. */
function pushElement(left: (PageNode | string)[], node: PageNode): void {
  const name = node.nodeName.toUpperCase()
  if (unread.has(name)) return
  const edge = blocks.has(name) ? '\n\n' : name === 'TD' || name === 'TH' ? ' ' : ''
  if (name === 'BR') left.push('\n')
  else if (name === 'PRE') left.push(edge, node.textContent ?? '', edge)
  else {
    left.push(edge)
    pushChildren(left, node)
    left.push(edge)
  }
}

function pushChildren(left: (PageNode | string)[], node: PageNode): void {
  const children: PageNode[] = []
  for (let child = node.firstChild; child !== null; child = child.nextSibling) children.push(child)
  // One by one: a page may have more children than a call takes arguments.
  for (const child of children.toReversed()) left.push(child)
}
