/** SQL text in quotes. */
export const sqlText = (text: string): string => `'${text.replaceAll("'", "''")}'`;
