package main

func compress(data []byte) ([]byte, error) { return data, nil }

func decompress(data []byte) ([]byte, error) { return data, nil }
