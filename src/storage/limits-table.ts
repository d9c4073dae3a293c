/** Where PostgreSQL counts requests for all its processes. Nothing of it is worth keeping: it is neither moved nor backed up. */
export const LIMITS_TABLE = 'holdfast_limits'
