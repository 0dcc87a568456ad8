package main

import "go.etcd.io/bbolt"

type database struct{ db *bbolt.DB }

var bucket = []byte("files")

func open(name string) (*database, error) {
	db, err := bbolt.Open(name, 0o600, nil)
	if err != nil {
		return nil, err
	}
	return &database{db}, db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(bucket)
		return err
	})
}

func (d *database) close() error { return d.db.Close() }

func (d *database) put(name string, data []byte) error {
	return d.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(bucket).Put([]byte(name), data) })
}

func (d *database) get(name string) (data []byte, err error) {
	err = d.db.View(func(tx *bbolt.Tx) error {
		data = append(data, tx.Bucket(bucket).Get([]byte(name))...)
		return nil
	})
	return data, err
}

func (d *database) names() (list []string, err error) {
	err = d.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucket).ForEach(func(k, v []byte) error {
			list = append(list, string(k))
			return nil
		})
	})
	return list, err
}
