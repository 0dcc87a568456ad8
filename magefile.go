//go:build mage

package main

import (
	//mage:import
	_ "github.com/mintmark/mintmark/targets"
)
