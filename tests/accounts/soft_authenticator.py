"""A passkey authenticator in software: one ES256 key, as WebAuthn level 2 sections 5.1.3 and 5.1.4 answer. Attestation `none`."""

import secrets
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.utils import sha256, websafe_decode, websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData

_FLAG = AuthenticatorData.FLAG


class SoftAuthenticator:
    def __init__(self, origin: str = "http://localhost:8000", rp_id: str = "localhost") -> None:
        self.origin, self.rp_id_hash = origin, sha256(rp_id.encode())
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.credential_id = secrets.token_bytes(16)
        self.user_handle = b""

    def create(self, options: dict[str, Any]) -> dict[str, Any]:
        self.user_handle = websafe_decode(options["user"]["id"])
        credential = AttestedCredentialData.create(bytes(16), self.credential_id, ES256.from_cryptography_key(self.key.public_key()))
        data = AuthenticatorData.create(self.rp_id_hash, _FLAG.USER_PRESENT | _FLAG.USER_VERIFIED | _FLAG.ATTESTED, 0, credential)
        response = {
            "clientDataJSON": websafe_encode(self._client_data("webauthn.create", options)),
            "attestationObject": websafe_encode(AttestationObject.create("none", data, {})),
        }
        return self._credential(response, {"credProps": {"rk": True}})

    def get(self, options: dict[str, Any]) -> dict[str, Any]:
        client_data = self._client_data("webauthn.get", options)
        data = AuthenticatorData.create(self.rp_id_hash, _FLAG.USER_PRESENT | _FLAG.USER_VERIFIED, 0)
        response = {
            "clientDataJSON": websafe_encode(client_data),
            "authenticatorData": websafe_encode(data),
            "signature": websafe_encode(self.key.sign(data + sha256(client_data), ec.ECDSA(hashes.SHA256()))),
            "userHandle": websafe_encode(self.user_handle),
        }
        return self._credential(response, {})

    def _client_data(self, kind: str, options: dict[str, Any]) -> CollectedClientData:
        return CollectedClientData.create(kind, options["challenge"], self.origin)

    def _credential(self, response: dict[str, str], extensions: dict[str, Any]) -> dict[str, Any]:
        name = websafe_encode(self.credential_id)
        return {"type": "public-key", "id": name, "rawId": name, "response": response, "clientExtensionResults": extensions}
