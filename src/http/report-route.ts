import { deviceAnswerSchema, deviceReportSchema } from '../protocol/device-report.ts'
import { saveReport } from '../storage/device-reports.ts'
import type { HttpContext, HttpServer } from './http-context.ts'
import { requireUser } from './require-user.ts'
import { checkScope } from './route-scope.ts'
import { appParamsSchema, jsonAnswer, needsUser, refusals, spaceQuerySchema } from './route-schema.ts'

/** `POST …/device`: a device says how it is, so that people can see it where the device itself is out of reach. */
export function registerReportRoute(server: HttpServer, context: HttpContext): void {
  server.route({
    method: 'POST',
    url: '/api/v1/:app/device',
    schema: {
      operationId: 'reportDevice',
      tags: ['sync'],
      summary: 'Say what this device has not sent yet and how it is; take its instructions',
      security: needsUser,
      params: appParamsSchema,
      querystring: spaceQuerySchema,
      body: deviceReportSchema,
      response: { 200: jsonAnswer('What the device is asked to do.', deviceAnswerSchema), ...refusals },
    },
    onRequest: checkScope(context),
    handler: async (request, reply) => {
      const { userId, device } = await requireUser(context, request)
      const now = context.chance.now()
      const instructions = await context.database.write((tx) => saveReport(tx, { userId, device, app: request.params.app, space: request.query.space, report: request.body, now }))
      return reply.send({ serverTime: now, epoch: context.epoch, instructions: [...instructions] })
    },
  })
}
