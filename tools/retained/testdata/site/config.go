package main

import "gopkg.in/yaml.v3"

func parse(data []byte) (*config, error) {
	c := &config{}
	return c, yaml.Unmarshal(data, c)
}
