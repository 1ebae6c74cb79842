// Verifies a JWT with the npm package jose: JSON {"token", "jwks", "alg", "typ"} in, and the exit status says whether it is
// good. provider/keys has every algorithm that we sign with verified by it.
import { text } from "node:stream/consumers";
import { createLocalJWKSet, jwtVerify } from "jose";

const { token, jwks, alg, typ } = JSON.parse(await text(process.stdin));
await jwtVerify(token, createLocalJWKSet(jwks), { algorithms: [alg], typ });
