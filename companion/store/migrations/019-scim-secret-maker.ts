/** Who was shown the secret that holds now, where it was rotated: whoever made the token first does not know it any more. */
export const scimSecretMaker = `
alter table scim_token add column secret_by text;
`;
