import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { HttpContext, HttpServer } from './http-context.ts'

const NANOSECONDS_PER_SECOND = 1e9
const EVENT_LOOP_RESOLUTION_MS = 50

/** What `/metrics` shows of one server. */
export interface Metrics {
  readonly registry: Registry
  readonly openStreams: Gauge
  /** The same context, with its commits counted. */
  counted(context: HttpContext): HttpContext
}

/** Counters of one server, each in a registry of its own. */
export function createMetrics(): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const commits = new Counter({ name: 'holdfast_commits_total', help: 'Commits that were carried out.', registers })
  const outcomes = new Counter({ name: 'holdfast_mutations_total', help: 'Mutations by app and outcome.', labelNames: ['app', 'status'], registers })
  const openStreams = new Gauge({ name: 'holdfast_event_streams', help: 'Open event streams.', registers })
  return {
    registry,
    openStreams,
    counted: (context) => ({
      ...context,
      commit: async (scope, request) => {
        const result = await context.commit(scope, request)
        commits.inc()
        const byStatus = Map.groupBy(result.outcomes, ({ status }) => status)
        for (const [status, { length }] of byStatus) outcomes.inc({ app: scope.app, status }, length)
        return result
      },
    }),
  }
}

/** Measures requests by route template, never by address: the number of series stays bounded. Also the delay of the event loop. */
export function measureServer(server: HttpServer, { registry }: Metrics): void {
  const registers = [registry]
  const durations = new Histogram({
    name: 'holdfast_request_seconds',
    help: 'Time to answer by route, method and status.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
    registers,
  })
  server.addHook('onResponse', (request, reply, done) => {
    durations.observe({ method: request.method, route: request.routeOptions.url ?? 'none', status: reply.statusCode }, reply.elapsedTime / 1_000)
    done()
  })
  const delay = monitorEventLoopDelay({ resolution: EVENT_LOOP_RESOLUTION_MS })
  delay.enable()
  server.addHook('onClose', async () => {
    delay.disable()
  })
  const lag: Gauge = new Gauge({
    name: 'holdfast_event_loop_delay_seconds',
    help: 'Delay of the event loop since the last reading.',
    labelNames: ['quantile'],
    registers,
    collect: () => {
      for (const quantile of [50, 99]) lag.set({ quantile: String(quantile / 100) }, delay.percentile(quantile) / NANOSECONDS_PER_SECOND)
      delay.reset()
    },
  })
  const rss = { name: 'process_resident_memory_bytes', help: 'Resident memory of the process.', registers }
  const memory: Gauge = new Gauge({ ...rss, collect: () => memory.set(process.memoryUsage.rss()) })
}
