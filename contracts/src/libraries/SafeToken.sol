// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";

/// @title SafeToken: the few ways in which the money contracts touch USDFC.
/// @notice The token takes no fee on transfer, has no callbacks, returns a bool and reverts for some recipients. Its revert
/// reasons pass through unchanged.
library SafeToken {
    error SafeToken_TransferRefused(address from, address to, uint256 amount);
    error SafeToken_AllowanceTooLow(uint256 expected, uint256 actual);

    /// @dev Moves `amount` from `from`, who has approved this contract.
    function pull(IERC20 token, address from, uint256 amount) internal {
        if (!token.transferFrom(from, address(this), amount)) {
            revert SafeToken_TransferRefused(from, address(this), amount);
        }
    }

    /// @dev Moves `amount` of this contract's tokens to `to`.
    function push(IERC20 token, address to, uint256 amount) internal {
        if (!token.transfer(to, amount)) revert SafeToken_TransferRefused(address(this), to, amount);
    }

    /// @dev Whether the token can be sent to `to`, asked by sending nothing.
    function accepts(IERC20 token, address to) internal returns (bool) {
        try token.transfer(to, 0) returns (bool accepted) {
            return accepted;
        } catch {
            return false;
        }
    }

    /// @dev Uses an EIP-2612 permit. Somebody may have used it first: then the allowance stands, and that is all that matters.
    function permit(
        IERC20 token,
        address owner,
        address spender,
        uint256 amount,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) internal {
        try IERC20Permit(address(token)).permit(owner, spender, amount, deadline, v, r, s) {}
        catch {
            uint256 allowance = token.allowance(owner, spender);
            if (allowance < amount) revert SafeToken_AllowanceTooLow(amount, allowance);
        }
    }
}
