export const FEATURES = { all: true, raw: true };
