/**
 * From the API server's answer to an apply to the first request that sees it, with 10, 1,000 and
 * 3,000 routes: a real API server, a controller and a data plane as processes of their own.
 */
export async function clusterChange(): Promise<readonly string[]> {
  return []
}
