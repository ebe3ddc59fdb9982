"""Problems: what is minimised, f(θ) = mean over samples of ℓᵢ(θ)."""
