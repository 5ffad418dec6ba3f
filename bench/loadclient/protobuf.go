package main

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Of Protocol Buffers' wire format (protobuf.dev/programming-guides/encoding) Mumble's control channel needs varints and byte strings.
const (
	wireVarint = 0
	wire64     = 1
	wireBytes  = 2
	wire32     = 5
)

func appendVarintField(dst []byte, number int, value uint64) []byte {
	dst = binary.AppendUvarint(dst, uint64(number)<<3|wireVarint)
	return binary.AppendUvarint(dst, value)
}

func appendBytesField(dst []byte, number int, value []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(number)<<3|wireBytes)
	dst = binary.AppendUvarint(dst, uint64(len(value)))
	return append(dst, value...)
}

// protobufField is one field as it came: bytes for strings and messages, a number for varints. Fields of other kinds are skipped.
type protobufField struct {
	number int
	bytes  []byte
	value  uint64
}

var errProtobuf = errors.New("the message ends inside a field")

func parseProtobuf(message []byte) ([]protobufField, error) {
	var fields []protobufField
	for len(message) > 0 {
		tag, size := binary.Uvarint(message)
		if size <= 0 {
			return nil, errProtobuf
		}
		message = message[size:]
		number, wire := int(tag>>3), tag&7
		switch wire {
		case wireVarint:
			value, size := binary.Uvarint(message)
			if size <= 0 {
				return nil, errProtobuf
			}
			fields = append(fields, protobufField{number: number, value: value})
			message = message[size:]
		case wireBytes:
			length, size := binary.Uvarint(message)
			if size <= 0 || length > uint64(len(message)-size) {
				return nil, errProtobuf
			}
			end := size + int(length)
			fields = append(fields, protobufField{number: number, bytes: message[size:end]})
			message = message[end:]
		case wire32, wire64:
			length := 4
			if wire == wire64 {
				length = 8
			}
			if len(message) < length {
				return nil, errProtobuf
			}
			message = message[length:]
		default:
			return nil, fmt.Errorf("field %d has the unknown wire type %d", number, wire)
		}
	}
	return fields, nil
}
