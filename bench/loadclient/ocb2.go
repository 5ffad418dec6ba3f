package main

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"errors"
)

// ocb2 is OCB2-AES128 (P. Rogaway, "Efficient Instantiations of Tweakable Blockciphers and Refinements to Modes OCB and PMAC", 2004), which
// Mumble protects its sound with. It is broken as a mode for arbitrary messages (Inoue and Minematsu 2018) and is here only to talk to Mumble.
type ocb2 struct{ block cipher.Block }

const blockSize = aes.BlockSize

type block128 [blockSize]byte

func newOCB2(key []byte) (*ocb2, error) {
	if len(key) != 16 {
		return nil, errors.New("OCB2: the key must have 16 bytes")
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return &ocb2{block}, nil
}

// double multiplies by x in GF(2^128), most significant bit first, modulo x^128 + x^7 + x^2 + x + 1.
func (b *block128) double() {
	high, low := binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])
	carry := high >> 63 * 0x87
	binary.BigEndian.PutUint64(b[:8], high<<1|low>>63)
	binary.BigEndian.PutUint64(b[8:], low<<1^carry)
}

func (b *block128) xor(other *block128) { subtle.XORBytes(b[:], b[:], other[:]) }

// seal encrypts plain into dst, which must be as long, and returns the tag.
func (o *ocb2) seal(dst, plain []byte, nonce *block128) block128 {
	var delta, checksum, work block128
	o.block.Encrypt(delta[:], nonce[:])
	for len(plain) > blockSize {
		delta.double()
		copy(work[:], plain[:blockSize])
		checksum.xor(&work)
		work.xor(&delta)
		o.block.Encrypt(work[:], work[:])
		work.xor(&delta)
		copy(dst, work[:])
		dst, plain = dst[blockSize:], plain[blockSize:]
	}
	pad := o.lastPad(&delta, len(plain))
	o.addLast(&checksum, pad, plain)
	subtle.XORBytes(dst, plain, pad[:])
	return o.tag(&delta, &checksum)
}

// open decrypts into dst, which must be as long, and returns the tag that the message must have come with.
func (o *ocb2) open(dst, encrypted []byte, nonce *block128) block128 {
	var delta, checksum, work block128
	o.block.Encrypt(delta[:], nonce[:])
	for len(encrypted) > blockSize {
		delta.double()
		copy(work[:], encrypted[:blockSize])
		work.xor(&delta)
		o.block.Decrypt(work[:], work[:])
		work.xor(&delta)
		checksum.xor(&work)
		copy(dst, work[:])
		dst, encrypted = dst[blockSize:], encrypted[blockSize:]
	}
	pad := o.lastPad(&delta, len(encrypted))
	subtle.XORBytes(dst, encrypted, pad[:])
	o.addLast(&checksum, pad, dst[:len(encrypted)])
	return o.tag(&delta, &checksum)
}

// lastPad is what the last block, of so many bytes (0 to 16), is combined with.
func (o *ocb2) lastPad(delta *block128, length int) *block128 {
	delta.double()
	var pad block128
	binary.BigEndian.PutUint64(pad[8:], uint64(length)*8)
	pad.xor(delta)
	o.block.Encrypt(pad[:], pad[:])
	return &pad
}

// addLast takes the last block into the checksum, filled up with the pad's end.
func (o *ocb2) addLast(checksum, pad *block128, plain []byte) {
	full := *pad
	copy(full[:], plain)
	checksum.xor(&full)
}

func (o *ocb2) tag(delta, checksum *block128) block128 {
	tripled := *delta
	tripled.double()
	tripled.xor(delta)
	tripled.xor(checksum)
	o.block.Encrypt(tripled[:], tripled[:])
	return tripled
}

// voiceCrypt is one direction of Mumble's protection of datagrams: the nonce is a counter, of which each packet carries the lowest byte,
// followed by the first three bytes of the tag.
type voiceCrypt struct {
	cipher  *ocb2
	counter block128 // of the last packet; the first byte is the lowest
}

const voiceOverhead = 4

func newVoiceCrypt(key, nonce []byte) (*voiceCrypt, error) {
	if len(nonce) != blockSize {
		return nil, errors.New("mumble: a nonce must have 16 bytes")
	}
	c, err := newOCB2(key)
	if err != nil {
		return nil, err
	}
	return &voiceCrypt{cipher: c, counter: block128(nonce)}, nil
}

func advance(counter *block128, by uint8) {
	carry := uint16(by)
	for i := range counter {
		carry += uint16(counter[i])
		counter[i] = uint8(carry)
		carry >>= 8
	}
}

func (v *voiceCrypt) seal(plain []byte) []byte {
	advance(&v.counter, 1)
	packet := make([]byte, voiceOverhead+len(plain))
	tag := v.cipher.seal(packet[voiceOverhead:], plain, &v.counter)
	packet[0] = v.counter[0]
	copy(packet[1:voiceOverhead], tag[:])
	return packet
}

var errVoice = errors.New("mumble: a datagram that is not authentic, or came twice or late")

// open decrypts into dst. Up to 127 lost packets are bridged; late ones are refused, which loopback does not produce.
func (v *voiceCrypt) open(dst, packet []byte) ([]byte, error) {
	if len(packet) < voiceOverhead || len(packet)-voiceOverhead > len(dst) {
		return nil, errVoice
	}
	step := packet[0] - v.counter[0]
	if step == 0 || step > 127 {
		return nil, errVoice
	}
	counter := v.counter
	advance(&counter, step)
	plain := dst[:len(packet)-voiceOverhead]
	tag := v.cipher.open(plain, packet[voiceOverhead:], &counter)
	if subtle.ConstantTimeCompare(tag[:voiceOverhead-1], packet[1:voiceOverhead]) != 1 {
		return nil, errVoice
	}
	v.counter = counter
	return plain, nil
}
