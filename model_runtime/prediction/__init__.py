"""A request becomes a prediction: the stages of a job, the network's passes, memory and devices."""
