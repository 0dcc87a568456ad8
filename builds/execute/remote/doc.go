// Package remote has units built by workers on other machines (package worker), which a
// carrier reaches: ssh, or a container engine.
//
// A [Worker] is one of them. It is greeted once, and sent what it lacks of the inputs
// ([Inputs]); from then on a request is a few kilobytes. What it answers is checked
// before anything is used: the receipt must be for the very job that was asked for,
// with its nonce, and the products must be those of the receipt.
//
// # Broken connections
//
// A request that got no answer has built nothing that counts: its nonce is not used
// again, so that a receipt for it which comes later is for nothing ([GoneError]).
// A worker ends when whoever asked it is gone.
package remote
