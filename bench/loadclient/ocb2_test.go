package main

import (
	"bytes"
	"encoding/hex"
	"testing"
)

func fromHex(t *testing.T, text string) []byte {
	t.Helper()
	decoded, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return decoded
}

func counting(length int) []byte {
	bytes := make([]byte, length)
	for i := range bytes {
		bytes[i] = byte(i)
	}
	return bytes
}

// The vectors of OCB2-AES128's Internet-Draft (T. Krovetz, P. Rogaway: draft-krovetz-ocb-00, appendix).
func TestOCB2Vectors(t *testing.T) {
	c, err := newOCB2(counting(16))
	if err != nil {
		t.Fatal(err)
	}
	nonce := block128(counting(16))
	for _, vector := range []struct {
		length         int
		encrypted, tag string
	}{
		{0, "", "bf3108130773ad5ec70ec69e7875a7b0"},
		{8, "c636b3a868f429bb", "a45f5fdea5c088d1d7c8be37cabc8c5c"},
		{16, "52e48f5d19fe2d9869f0c4a4b3d2be57", "f7ee49ae7aa5b5e6645db6b3966136f9"},
		{24, "f75d6bc8b4dc8d66b836a2b08b32a636cc579e145d323beb", "a1a50f822819d6e0a216784ac24ac84c"},
		{32, "f75d6bc8b4dc8d66b836a2b08b32a636cec3c555037571709da25e1bb0421a27", "09ca6c73f0b5c6c5fd587122d75f2aa3"},
		{40, "f75d6bc8b4dc8d66b836a2b08b32a6369f1cd3c5228d79fd6c267f5f6aa7b231c7dfb9d59951ae9c", "9db0cdf880f73e3e10d4eb3217766688"},
	} {
		plain := counting(vector.length)
		encrypted := make([]byte, vector.length)
		tag := c.seal(encrypted, plain, &nonce)
		if hex.EncodeToString(encrypted) != vector.encrypted || hex.EncodeToString(tag[:]) != vector.tag {
			t.Errorf("%d bytes: %x, tag %x", vector.length, encrypted, tag)
		}
		decrypted := make([]byte, vector.length)
		if opened := c.open(decrypted, encrypted, &nonce); opened != tag || !bytes.Equal(decrypted, plain) {
			t.Errorf("%d bytes open to %x, tag %x", vector.length, decrypted, opened)
		}
	}
}

func TestVoiceCryptCountsOnOverLossAndRefusesTheRest(t *testing.T) {
	nonce := bytes.Repeat([]byte{0xfe}, blockSize) // the second packet carries over all bytes but the last
	sender, err := newVoiceCrypt(counting(16), nonce)
	if err != nil {
		t.Fatal(err)
	}
	receiver, _ := newVoiceCrypt(counting(16), nonce)
	plain := []byte("twenty milliseconds of speech, more than one block")
	var buffer [largestPacket]byte
	var packets [][]byte
	for range 300 {
		packets = append(packets, sender.seal(plain))
	}
	for number, packet := range packets {
		if number%3 == 1 {
			continue // lost
		}
		if opened, err := receiver.open(buffer[:], packet); err != nil || !bytes.Equal(opened, plain) {
			t.Fatalf("packet %d: %q, %v", number, opened, err)
		}
	}
	last := packets[len(packets)-1]
	if _, err := receiver.open(buffer[:], last); err == nil {
		t.Error("the same packet opens twice")
	}
	next := sender.seal(plain)
	for bit := range len(next) * 8 {
		forged := append([]byte(nil), next...)
		forged[bit/8] ^= 1 << (bit % 8)
		if _, err := receiver.open(buffer[:], forged); err == nil {
			t.Fatalf("opens with bit %d turned over", bit)
		}
	}
	if _, err := receiver.open(buffer[:], next[:3]); err == nil {
		t.Error("three bytes open")
	}
	if opened, err := receiver.open(buffer[:], next); err != nil || !bytes.Equal(opened, plain) {
		t.Errorf("after forgeries: %q, %v", opened, err)
	}
}
