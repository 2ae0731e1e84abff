/** Where everything of a workspace lives. */
export const W = '/v1/workspaces/:workspaceId';
