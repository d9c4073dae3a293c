/** `holdfast/testing`: a whole server, or a database, for the tests of an app. */
export { openTestServer, TEST_PASSWORD, type TestServer, type TestServerOptions, type TestUser } from '../testing/open-test-server.ts'
export { openTestDatabase, type TestDatabase } from '../testing/open-test-database.ts'
