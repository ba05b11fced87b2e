// Prints a fresh private key, as GitHub gives one to an App (RSA, 2048 bits, PKCS #1 in PEM).

import { generateKeyPairSync } from "node:crypto";

const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
console.log(privateKey.export({ type: "pkcs1", format: "pem" }));
