/** How many agents a key has enrolled is shown with the key, and counts those that were removed since. */
export const enrolledAgents = `
drop index agent_key;
create index agent_key on agent (enrolled_key_id);
`;
